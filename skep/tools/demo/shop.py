"""What the demo shop sells, and who shops there: the tables that `skep.tools.demo.events` draws from."""

from __future__ import annotations

from dataclasses import dataclass

CATEGORIES = ("honey", "candles", "hives", "clothing", "books", "gifts")
KINDS = {
    "honey": ("Heather honey", "Acacia honey", "Comb honey", "Lime honey"),
    "candles": ("Pillar candle", "Tea lights", "Dinner candles"),
    "hives": ("National hive", "Straw skep", "Nucleus box", "Frame set"),
    "clothing": ("Veil", "Gauntlets", "Smock"),
    "books": ("Bees at law", "The waggle dance", "A year of bees"),
    "gifts": ("Gift box", "Wax wraps", "Hand balm"),
}
BASE_PRICES = {"honey": 6.5, "candles": 9.0, "hives": 89.0, "clothing": 34.0, "books": 14.0, "gifts": 18.0}
FIRST_NAMES = (
    "Anna",
    "Ben",
    "Chloe",
    "Dilip",
    "Emma",
    "Femi",
    "Grace",
    "Hugo",
    "Ines",
    "Jack",
    "Kofi",
    "Lena",
    "Mei",
    "Noah",
    "Olga",
    "Priya",
)
LAST_NAMES = (
    "Archer",
    "Baker",
    "Cooper",
    "Dyer",
    "Evans",
    "Fisher",
    "Gupta",
    "Hughes",
    "Ito",
    "Jones",
    "Khan",
    "Lewis",
    "Moore",
    "Novak",
    "Okoro",
    "Patel",
)
CITIES = ("London", "Leeds", "Bristol", "Cardiff", "Glasgow", "Belfast")
COUPONS = ("", "", "", "", "SPRING", "WELCOME10")
REFUND_REASONS = ("damaged", "late", "changed_mind")
WEB_AGENT = "Mozilla/5.0 Firefox/127.0"
APP_AGENT = "SkepShop/4.2 (iOS 17.5)"


@dataclass(frozen=True, slots=True)
class Product:
    """One article of the shop; ``price`` has two decimals."""

    product_id: str
    sku: str
    name: str
    category: str
    price: float

    def properties(self) -> dict[str, object]:
        return {
            "product_id": self.product_id,
            "name": self.name,
            "category": self.category,
            "price": self.price,
            "currency": "EUR",
        }


def catalogue() -> tuple[Product, ...]:
    """Every product of the shop, always the same."""
    products = []
    for number, category in enumerate(category for category in CATEGORIES for _ in range(20)):
        kind = KINDS[category][number % len(KINDS[category])]
        price = round(BASE_PRICES[category] * (0.6 + (number * 37 % 100) / 80), 2)
        products.append(Product(f"p{number:03d}", f"{category[:2].upper()}-{number:03d}", f"{kind} {number % 20 + 1}", category, price))
    return tuple(products)
