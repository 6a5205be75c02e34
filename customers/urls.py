"""Addresses of the customers list, and of what staff write down about one customer."""

from django.urls import path

from customers import bulk_views, consent_views, import_views, views

app_name = "customers"

dashboard = [
    path("customers/", views.customer_list, name="list"),
    path("customers/several/", bulk_views.several, name="several"),
    path("customers/import/", import_views.imports, name="imports"),
    path("customers/import/<slug:public_id>/", import_views.one_import, name="import"),
    path("customers/import/<slug:public_id>/refused/", import_views.import_errors, name="import_errors"),
    path("customers/import/<slug:public_id>/stop/", import_views.stop_import, name="stop_import"),
    path("customers/<slug:public_id>/tags/", views.tags, name="tags"),
    path("customers/<slug:public_id>/consent/", consent_views.consent, name="consent"),
    path("customers/<slug:public_id>/edit/", views.edit, name="edit"),
]
