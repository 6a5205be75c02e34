"""Addresses of the customers list, and of what staff write down about one customer."""

from django.urls import path

from customers import views

app_name = "customers"

dashboard = [
    path("customers/", views.customer_list, name="list"),
    path("customers/tags/", views.tag_several, name="tag_several"),
    path("customers/<slug:public_id>/tags/", views.tags, name="tags"),
    path("customers/<slug:public_id>/edit/", views.edit, name="edit"),
]
