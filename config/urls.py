"""Who is at which address (DESIGN section 6)."""

from django.urls import path

urlpatterns: list = []
