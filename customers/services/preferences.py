"""What a customer lets others see of them."""

from customers.models import Customer


def set_preferences(customer: Customer, *, found_by_name: bool, on_leaderboard: bool) -> None:
    """Whether friends may find them by their name, and everybody read it, shortened, among those who lead a contest."""
    mine = Customer.objects.filter(pk=customer.pk, store_id=customer.store_id, erased_at=None)
    mine.update(found_by_name=found_by_name, on_leaderboard=on_leaderboard)
    customer.found_by_name, customer.on_leaderboard = found_by_name, on_leaderboard
