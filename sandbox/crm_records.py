"""What the CRM knows and can do."""

from collections.abc import Callable
from typing import Any, ClassVar

_CARRIERS = ("UPS", "FedEx", "the postal service", "DHL")
_STATES = ("shipped", "being packed", "shipped", "delivered", "delayed")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")


class Refused(Exception):
    """The CRM will not do it; the message may be read to the caller."""

    def __init__(self, code: str, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class Records:
    """Orders, appointments, leads, cases and notes, with some known from the start."""

    WRITES: ClassVar = frozenset(
        {
            *(
                "create_case",
                "update_shipping_address",
                "confirm_appointment",
                "move_appointment",
                "save_lead_answers",
                "book_visit",
                "pay_bill",
            ),
            "log_call",
        }
    )

    def __init__(self) -> None:
        self._orders: dict[str, dict[str, Any]] = {
            "48213": {"status": "shipped", "carrier": "UPS", "expected_day": "Tuesday"},
            "51007": {"status": "delivered", "carrier": "FedEx"},
            "60444": {"status": "delayed", "carrier": "DHL", "expected_day": "Friday"},
        }
        self._appointments: dict[str, dict[str, str]] = {
            "1001": {"day": "Thursday, November 26", "time": "10 a.m."},
            "1002": {"day": "Monday, November 30", "time": "2:30 p.m."},
        }
        self._addresses: dict[str, str] = {}  # by order, where it is not the one on file
        self._cases = 70_000
        self._notes = 0
        self._visits = 500
        self._paid: dict[str, str] = {}  # account -> receipt
        self._operations: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "get_order_status": lambda asked: self.order(_text(asked, "order_number")),
            "create_case": self._create_case,
            "update_shipping_address": self._update_shipping_address,
            "confirm_appointment": self._confirm_appointment,
            "move_appointment": self._move_appointment,
            "save_lead_answers": self._save_lead_answers,
            "book_visit": self._book_visit,
            "get_balance": self._get_balance,
            "pay_bill": self._pay_bill,
        }

    def carry_out(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do it. Raises Refused."""
        if operation == "log_call":
            self._notes += 1
            return {"id": f"note-{self._notes}"}
        if operation not in self._operations:
            raise Refused("unknown_operation", f"There is no operation {operation}.", 404)
        arguments = body.get("arguments")
        if not isinstance(arguments, dict):
            raise Refused("bad_request", "arguments must be an object.", 400)
        return self._operations[operation](arguments)

    def order(self, number: str) -> dict[str, Any]:
        """Any order from 10000 to 99999, always the same. Raises Refused."""
        if number in self._orders:
            return {"order_number": number} | self._orders[number]
        if not (number.isdecimal() and 10_000 <= int(number) <= 99_999):
            raise Refused("no_such_order", f"There is no order {number}.", 404)
        value = int(number)
        status = _STATES[value % len(_STATES)]
        found = {"order_number": number, "status": status}
        if status != "being packed":
            found["carrier"] = _CARRIERS[value // 7 % len(_CARRIERS)]
        if status != "delivered":
            found["expected_day"] = _WEEKDAYS[value // 11 % len(_WEEKDAYS)]
        return found

    def _create_case(self, asked: dict[str, Any]) -> dict[str, Any]:
        _text(asked, "subject")
        if asked.get("order_number"):
            self.order(_text(asked, "order_number"))
        self._cases += 1
        return {"case_number": str(self._cases), "status": "open", "answer": "within one working day"}

    def _update_shipping_address(self, asked: dict[str, Any]) -> dict[str, Any]:
        order = self.order(_text(asked, "order_number"))
        number, address = order["order_number"], _text(asked, "address")
        if order["status"] != "being packed":
            raise Refused(
                "too_late", f"Order {number} is {order['status']}, so its address cannot be changed any more."
            )
        was = self._addresses.get(number, "the address on file")
        self._addresses[number] = address
        return {"order_number": number, "status": "changed", "new_address": address, "previous_address": was}

    def _confirm_appointment(self, asked: dict[str, Any]) -> dict[str, Any]:
        number, known = self._appointment(asked)
        return {"appointment_id": number, "status": "confirmed"} | known

    def _move_appointment(self, asked: dict[str, Any]) -> dict[str, Any]:
        number, known = self._appointment(asked)
        day, time = _text(asked, "new_day"), _text(asked, "new_time")
        if any(closed in day.lower() for closed in ("saturday", "sunday")):
            raise Refused("closed", f"We are closed on {day}.")
        known.update(day=day, time=time)
        return {"appointment_id": number, "status": "moved"} | known

    def _appointment(self, asked: dict[str, Any]) -> tuple[str, dict[str, str]]:
        number = _text(asked, "appointment_id")
        if number not in self._appointments:
            raise Refused("no_such_appointment", f"There is no appointment {number}.", 404)
        return number, self._appointments[number]

    def _save_lead_answers(self, asked: dict[str, Any]) -> dict[str, Any]:
        _text(asked, "lead_id")
        return {"lead_id": asked["lead_id"], "status": "saved"}

    def _book_visit(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._visits += 1
        day, hour = _text(asked, "day"), _text(asked, "time_of_day")
        return {"visit_number": str(self._visits), "status": "booked", "day": day, "time": f"some time in the {hour}"}

    def _get_balance(self, asked: dict[str, Any]) -> dict[str, Any]:
        account, paid = self._account(asked), self._account(asked) in self._paid
        owed = {} if paid else {"amount": f"{int(account) % 90 + 20} dollars", "due_day": "Friday"}
        return {"account_number": account, "status": "paid" if paid else "open"} | owed

    def _pay_bill(self, asked: dict[str, Any]) -> dict[str, Any]:
        """As careless as a CRM may be: it says the card number again."""
        account, card = self._account(asked), _text(asked, "card_number")
        if not (card.isdecimal() and 12 <= len(card) <= 19):
            raise Refused("card_refused", f"The card {card} is not valid.")
        receipt = self._paid.setdefault(account, str(9_000 + len(self._paid) + 1))
        return {"account_number": account, "status": "paid", "receipt": receipt, "card_on_file": card}

    def _account(self, asked: dict[str, Any]) -> str:
        account = _text(asked, "account_number")
        if not (account.isdecimal() and len(account) == 6):
            raise Refused("no_such_account", f"There is no account {account}.", 404)
        return account


def _text(asked: dict[str, Any], name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refused("missing_argument", f"The {name.replace('_', ' ')} is missing.")
    return value.strip()
