"""What a customer lets others see of them."""

from customers.models import Customer


def set_preferences(customer: Customer, *, found_by_name: bool) -> None:
    """Whether friends may find them by their name."""
    mine = Customer.objects.filter(pk=customer.pk, store_id=customer.store_id, erased_at=None)
    mine.update(found_by_name=found_by_name)
    customer.found_by_name = found_by_name
