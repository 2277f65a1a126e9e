"""Payments that the channel takes for the bot: the questions before, and the receipt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """Where something is to be sent.

    Attributes:
        country: two letters (ISO 3166).
    """

    country: str
    state: str = ""
    city: str = ""
    line1: str = ""
    line2: str = ""
    post_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """What somebody who pays has told of themselves; empty where they were not asked."""

    name: str = ""
    phone: str = ""
    email: str = ""
    address: PostalAddress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Money that was paid.

    Attributes:
        currency: three letters (ISO 4217), or ``XTR`` for Telegram's stars.
        amount: in the smallest units of the currency, such as cents.
        payload: the bot's own words for what is paid, as in its invoice.
        charge: the channel's id of the payment, to give the money back by.
        provider_charge: the id of whoever has moved the money.
        shipping_option: the id of the way of sending that was chosen.
        customer: None where nothing was asked.
    """

    currency: str
    amount: int
    payload: str
    charge: str
    provider_charge: str = ""
    shipping_option: str = ""
    customer: Customer | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMessage(Receipt):
    """The channel says that somebody has paid."""

    kind: Literal["payment"] = "payment"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreCheckoutQuery:
    """Somebody is about to pay; the bot has 10 seconds to say that they may.

    Attributes:
        id: what the channel needs for the answer.
        currency, amount, payload, shipping_option, customer: as of ``Receipt``.
    """

    id: str
    currency: str
    amount: int
    payload: str
    shipping_option: str = ""
    customer: Customer | None = None
    kind: Literal["pre_checkout_query"] = "pre_checkout_query"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingQuery:
    """Somebody wants to know what it costs to send their order to an address.

    Attributes:
        id: what the channel needs for the answer.
        payload: the bot's own words for what is ordered, as in its invoice.
    """

    id: str
    payload: str
    address: PostalAddress
    kind: Literal["shipping_query"] = "shipping_query"
