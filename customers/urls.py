"""Addresses of the customers list."""

from django.urls import path

from customers import views

app_name = "customers"

dashboard = [path("customers/", views.customer_list, name="list")]
