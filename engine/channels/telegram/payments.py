"""Telegram's payments: the questions before one, and the receipt."""

from __future__ import annotations

from engine.channels.telegram.shapes import OrderInfo, ShippingAddress, SuccessfulPayment
from flows.updates import Customer, PaymentMessage, PostalAddress


def payment_message(paid: SuccessfulPayment) -> PaymentMessage:
    """The receipt of a payment."""
    return PaymentMessage(
        currency=paid.currency,
        amount=paid.total_amount,
        payload=paid.invoice_payload,
        charge=paid.telegram_payment_charge_id,
        provider_charge=paid.provider_payment_charge_id,
        shipping_option=paid.shipping_option_id,
        customer=customer(paid.order_info),
    )


def customer(info: OrderInfo | None) -> Customer | None:
    """Who pays, where they were asked."""
    if info is None:
        return None
    address = info.shipping_address
    return Customer(
        name=info.name,
        phone=info.phone_number,
        email=info.email,
        address=None if address is None else postal_address(address),
    )


def postal_address(address: ShippingAddress) -> PostalAddress:
    """Where something is to be sent."""
    return PostalAddress(
        country=address.country_code,
        state=address.state,
        city=address.city,
        line1=address.street_line1,
        line2=address.street_line2,
        post_code=address.post_code,
    )
