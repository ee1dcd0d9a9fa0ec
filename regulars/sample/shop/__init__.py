"""Sample data of a shop: customers, products, orders and lines of any scale, with planted outliers and broken keys."""

from regulars.sample.shop.faults import ShopFault, faults_until
from regulars.sample.shop.load import load_evening
from regulars.sample.shop.spec import ShopSpec

__all__ = ["ShopFault", "ShopSpec", "faults_until", "load_evening"]
