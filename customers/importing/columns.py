"""What may stand in a column of a file, and what its title lets us guess."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from customers.importing.orders import SHOPIFY
from stores.l10n import fold_text

CUSTOMERS, ORDERS = "customers", "orders"
# What may be there: our name -> what a page calls it. The order is that of the page.
PEOPLE_FIELDS: dict[str, Promise | str] = {
    "name": _("Name"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "customer_id": _("Your number for them"),
    "locale": _("Language"),
    "address": _("Postal address"),
    "tags": _("Tags, parted by commas"),
    "accepts_marketing": _("Agreed to messages (yes or no)"),
}
ORDER_FIELDS: dict[str, Promise | str] = {
    "external_id": _("Order number"),
    "placed_at": _("Ordered on"),
    "total": _("Total"),
    "currency": _("Currency"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "name": _("Customer’s name"),
    "customer_id": _("Your number for the customer"),
    "delivered_at": _("Delivered on"),
    "cancelled_at": _("Cancelled on"),
    "refunded": _("Amount refunded"),
    "status": _("Payment state"),
    "code": _("Discount code"),
    "advocate_name": _("Who sent them"),
    "item": _("Product"),
    "sku": _("Product number"),
    "quantity": _("Quantity"),
    "price": _("Price of one"),
    "category": _("Category"),
    "location": _("Branch"),
    "locale": _("Language"),
    "address": _("Postal address"),
    "accepts_marketing": _("Agreed to messages (yes or no)"),
}
FIELDS = {CUSTOMERS: PEOPLE_FIELDS, ORDERS: ORDER_FIELDS}
NEEDED = {CUSTOMERS: (), ORDERS: ("external_id", "placed_at", "total")}
FOUND_BY = ("email", "phone", "customer_id")  # a customer needs one of these
# Titles that shops' systems and spreadsheets use, folded.
TITLES = {
    "name": ("name", "full name", "customer", "customer name", "billing name", "نام", "نام و نام خانوادگی", "pangalan"),
    "first_name": ("first name", "firstname", "given name", "نام کوچک"),
    "last_name": ("last name", "lastname", "surname", "family name", "نام خانوادگی", "apelyido"),
    "email": ("email", "e-mail", "email address", "mail", "ایمیل", "رایانامه"),
    "phone": (
        "phone", "phone number", "mobile", "cellphone", "tel", "telephone", "تلفن", "موبایل", "شماره تماس", "telepono",
    ),
    "customer_id": ("customer id", "customer number", "id", "شماره مشتری", "کد مشتری"),
    "locale": ("locale", "language", "زبان", "wika"),
    "address": ("address", "postal address", "default address address1", "آدرس", "نشانی", "tirahan"),
    "tags": ("tags", "labels", "groups", "برچسب", "برچسب ها"),
    "accepts_marketing": ("accepts marketing", "accepts email marketing", "email marketing", "newsletter", "opt in"),
    "external_id": ("order", "order number", "order id", "order no", "شماره سفارش", "سفارش"),
    "placed_at": ("placed at", "date", "order date", "created at", "ordered on", "تاریخ", "تاریخ سفارش", "petsa"),
    "total": ("total", "amount", "grand total", "order total", "مبلغ", "مبلغ کل", "جمع", "kabuuan"),
    "delivered_at": ("delivered at", "delivery date", "fulfilled at", "تاریخ تحویل"),
    "cancelled_at": ("cancelled at", "canceled at"),
    "refunded": ("refunded", "refunded amount", "refund"),
    "status": ("status", "financial status", "payment status", "وضعیت"),
    "code": ("code", "discount code", "coupon", "coupon code", "voucher", "کد تخفیف"),
    "item": ("item", "product", "product name", "lineitem name", "محصول", "کالا", "produkto"),
    "quantity": ("quantity", "qty", "تعداد", "dami"),
    "price": ("price", "unit price", "قیمت", "presyo"),
    "location": ("location", "branch", "store", "شعبه", "sangay"),
    "currency": ("currency", "ارز", "واحد پول"),
}  # fmt: skip


def plain(title: str) -> str:
    """A title as it is compared."""
    return " ".join(fold_text(title).replace("_", " ").replace("-", " ").replace(":", " ").split())


def guess(kind: str, titles: Sequence[str], remembered: Iterable[dict[str, str]] = ()) -> dict[str, str]:
    """What probably stands where: our name -> the file's title; each title once.

    First what the store chose for a title before (`remembered`, the newest first), then what Shopify and others
    call it.
    """
    found: dict[str, str] = {}
    free = {plain(title): title for title in reversed(titles) if title}
    fields = FIELDS[kind]
    # There "Name" is the order's number.
    is_shopify = kind == ORDERS and all(plain(SHOPIFY[name]) in free for name in ("external_id", "placed_at", "status"))
    for before in remembered:
        for name, title in before.items():
            _take(found, free, fields, name, plain(title))
    for name in fields:
        shopify = [plain(SHOPIFY[name])] if is_shopify and name in SHOPIFY else []
        for word in (plain(name), *shopify, *map(plain, TITLES.get(name, ()))):
            _take(found, free, fields, name, word)
    return {name: found[name] for name in fields if name in found}


def _take(found: dict[str, str], free: dict[str, str], fields: Iterable[str], name: str, title: str) -> None:
    if name in fields and name not in found and title in free:
        found[name] = free.pop(title)


def missing(kind: str, mapping: dict[str, str]) -> list[str]:
    """The names of fields without which nothing can be taken in."""
    lacking = [name for name in NEEDED[kind] if name not in mapping]
    if kind == CUSTOMERS and not any(name in mapping for name in FOUND_BY):
        lacking.append("email")
    return lacking
