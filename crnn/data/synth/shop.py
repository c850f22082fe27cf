"""Lines of receipts, invoices, forms and signs: heads, addresses, items, totals, cells, names."""

from __future__ import annotations

from crnn.data.synth.notation import measure, price
from crnn.data.synth.pen import UPPER, Pen, grouped, upper

_FIRMS = (
    "SDN BHD", "SDN. BHD.", "(M) SDN BHD", "S/B", "GmbH", "GMBH & CO. KG", "AG", "e.K.", "S.A.", "S.A.S.", "SARL",
    "S.L.", "S.r.l.", "S.p.A.", "LTD.", "LTD", "LLC", "INC.", "PLC", "ENTERPRISE", "TRADING", "& SONS", "CO.", "STORE",
    "RESTAURANT", "HARDWARE", "BOOK STORE", "PHARMACY", "CAFE",
)  # fmt: skip
_HEADS = (
    "TAX INVOICE", "INVOICE", "RECEIPT", "CASH RECEIPT", "SIMPLIFIED TAX INVOICE", "CASH BILL", "OFFICIAL RECEIPT",
    "THANK YOU", "THANK YOU PLEASE COME AGAIN", "GOODS SOLD ARE NOT RETURNABLE", "RECHNUNG", "Quittung", "FACTURE",
    "Ticket de caisse", "FACTURA", "RICEVUTA FISCALE", "Vielen Dank für Ihren Einkauf", "MERCI DE VOTRE VISITE",
    "GRACIAS POR SU COMPRA", "GST SUMMARY", "Description", "Qty", "Price", "Amount", "Amount(RM)", "ITEM", "Code",
    "Amt (RM)", "U/P(RM)", "Disc (%)",
    "CUSTOMER COPY", "SALES PERSON", "Bezeichnung", "Menge", "Désignation", "Cantidad", "Importe", "Quantità",
)  # fmt: skip
_TOTALS = (
    "TOTAL", "SUBTOTAL", "SUB TOTAL", "GRAND TOTAL", "Total", "TOTAL (INCL. GST)", "TOTAL AMOUNT", "TOTAL SALES",
    "TOTAL (EXCLUDING GST)", "ROUNDING ADJ", "ROUNDING ADJUSTMENT", "ROUND ADJ", "CASH", "CHANGE", "CASH TENDERED",
    "GST 6%", "SR @ 6%", "TAX", "DISCOUNT", "BALANCE", "AMOUNT DUE", "VISA", "MASTER CARD", "Total Payable",
    "Rounding", "SR = 6%", "GST @6%", "GST @ 0%", "TAX(RM)", "S @ 6%", "TOTAL SALES (INCLUSIVE OF GST)",
    "SUMME", "Summe EUR", "Gesamtbetrag", "MwSt. 19%", "Netto", "Rückgeld", "BAR", "TOTAL TTC", "TVA 20%", "A PAYER",
    "IVA 21%", "TOTAL A PAGAR", "EFECTIVO", "TOTALE", "RESTO", "CONTANTI", "TOTALE EURO", "TOTAL QTY",
)  # fmt: skip
_IDS = (
    "GST ID:", "GST ID NO :", "GST REG NO:", "GST NO", "VAT NO.", "USt-IdNr.", "N° TVA", "NIF:", "P.IVA",
    "CO. REG. NO:", "REG NO", "Invoice No:", "INV NO.:", "Bill#:", "Receipt #:", "DOC NO.:", "TRANS NO", "CASHIER:",
    "CASHIER ID :", "Bed.:", "Caisse", "TABLE", "Table No.", "POS NO", "Member ID", "STAFF", "TERMINAL", "Kundennr.",
    "Ref.:", "APPROVAL CODE:", "TID", "MID:", "Slip No.:",
)  # fmt: skip
_TAXES = ("SR", "ZRL", "ZR", "S", "Z", "T", "A", "B", "RM", "X", "*", ":", "TX")
_UNITS = ("PC", "PCS", "UNIT", "PKT", "BTL", "CTN", "EA", "kg", "Stk", "U")
_COUNTS = ("QTY", "Qty(s)", "PAX", "Pax(s)", "ITEM(S)", "Total Qty", "NO. OF ITEMS", "POS")
_FIELDS = (
    "Name", "First name", "Date of birth", "Address", "City", "Signature", "From", "To", "Subject", "Phone", "Fax",
    "Vorname", "Ort, Datum", "Unterschrift", "Nom", "Prénom", "Adresse", "Apellidos", "Fecha", "Firma", "Nome", "Page",
    "Brand", "Country", "Remarks", "Code", "Title", "Ship to", "Attn",
)  # fmt: skip
_STREETS = {
    "de": ("{}straße {}", "{}str. {}", "{}weg {}", "{}platz {}", "Am {} {}"),
    "fr": ("{1}, rue {0}", "{1} rue de {0}", "{1} bis, avenue {0}", "{1} place {0}"),
    "es": ("C/ {} {}", "Calle {}, {}", "Avda. {}, nº {}", "Plaza {} {}"),
    "it": ("Via {}, {}", "Piazza {} {}", "Corso {}, {}"),
    "en": ("{1} {0} Street", "{1} {0} St.", "{1} {0} Road", "{1} {0} Ave", "No. {1}, Jalan {0}", "Lot {1}, {0} Park"),
}
_TITLES = ("Mr.", "Mrs.", "Dr.", "Prof.", "Herr", "Frau", "M.", "Mme", "Sr.", "Sra.", "Sig.", "Dott.")


def head(pen: Pen) -> str:
    """A firm's name, a heading of a receipt, or a numbered id."""
    draw = pen.rng.random()
    if draw < 0.35:
        made = f"{pen.names(1, 3)} {pen.one(_FIRMS)}"
        made = made.replace(" ", " & ", 1) if pen.chance(0.1) else made
        made = upper(made, pen.allowed) if pen.chance(0.75) else made
        return f"{made} ({pen.digits(6)}-{pen.one(UPPER)})" if pen.chance(0.15) else made
    if draw < 0.6:
        made = pen.one(_HEADS)
        made = upper(made, pen.allowed) if pen.chance(0.3) else made
        return pen.one((made, made, f"*** {made} ***", f"--- {made} ---", f"* {made} *", f"{made} :", f"{made}!"))
    return identity(pen)


def identity(pen: Pen) -> str:
    """What it is, and its number: ``GST ID: 000123456789``."""
    digits = pen.digits(pen.number(3, 12))
    value = pen.one(
        (
            digits,
            digits,
            f"{pen.some(UPPER, pen.number(1, 3))}{digits}",
            f"{digits[:3]}-{digits[3:]}",
            pen.name(),
            f"#{digits}",
        )
    )
    label = pen.one(_IDS)
    text = label + (" " if label.endswith((":", ".")) else pen.one((" ", " : ", ": "))) + value
    return f"({text})" if pen.chance(0.1) else text


def address(pen: Pen) -> str:
    """A street with its number, a town with its postal code, or both."""
    place, number = pen.name(), f"{pen.number(1, 250)}{pen.one(('', '', '', 'A', 'b', '-1', '/2'))}"
    if pen.chance(0.1):
        number += pen.one((" & ", " & ", "&", ", ", "-")) + str(pen.number(1, 250))
    street = pen.one(_STREETS.get(pen.language, _STREETS["en"])).format(place, number)
    town = pen.one(
        (
            f"{pen.digits(5)} {pen.name()}",
            f"{pen.digits(5)} {pen.name()}, {pen.name()}",
            f"D-{pen.digits(5)} {pen.name()}",
            f"{pen.name()}, {pen.some(UPPER, 2)} {pen.digits(5)}",
            f"{pen.some(UPPER, 2)}{pen.digits(1)} {pen.digits(1)}{pen.some(UPPER, 2)}",
            f"{pen.names(1, 2)} ({pen.some(UPPER, 2)})",
            f"{pen.digits(4)} {pen.some(UPPER, 2)} {pen.name()}",
        )
    )
    text = pen.one((street, street + ",", town, town + ".", f"{street}, {town}", pen.names(1, 3)))
    return upper(text, pen.allowed) if pen.chance(0.35) else text


def item(pen: Pen) -> str:
    """A line of a receipt: what, how many, for how much."""
    what, cost, count = pen.names(1, 3), pen.amount(), pen.number(1, 20)
    if pen.chance(0.2):
        what += " " + measure(pen)
    each, whole = f"{cost:.2f}", f"{cost * count:,.2f}"
    if pen.language != "en" and pen.chance(0.6):
        each, whole = grouped(cost, 2, ".", ","), grouped(cost * count, 2, ".", ",")
    text = pen.one(
        (
            f"{what} {whole}",
            f"{count} {what} {whole}",
            f"{count} x {each} {whole}",
            f"{count}x {what} {each} {whole} {pen.one(('A', 'B', 'SR', 'ZRL', 'S', '*'))}",
            f"{pen.digits(pen.number(4, 13))} {what}",
            f"{what} {count} {each} {whole}",
            f"{count} @ {each} {whole}",
            f"{count} PC(S) x {each}",
            f"{pen.number(1, 9)}. {what}",
            f"- {what}",
            f"*{what}",
            what,
        )
    )
    return upper(text, pen.allowed) if pen.chance(0.4) else text


def total(pen: Pen) -> str:
    """A sum at the foot of a receipt."""
    label = pen.one(_TOTALS)
    label = upper(label, pen.allowed) if pen.chance(0.3) else label
    value = pen.one((price(pen), f"{pen.amount():.2f}", f"-{pen.number(0, 9) / 100:.2f}", "0.00"))
    dots = "." * pen.number(3, 20)
    return pen.one(
        (
            f"{label} {value}",
            f"{label}: {value}",
            f"{label} : {value}",
            f"{label} RM {value}",
            f"{label}{dots} {value}",
            f"{label}{dots}",
            f"{label} (RM):",
            f"{label}:",
            f"{label} :",
            label,
            value,
        )
    )


def cell(pen: Pen) -> str:
    """What stands alone in a column of a receipt: a count, a tax code, a small sum, a row of signs."""
    cost = pen.amount() % 200
    return pen.one(
        (
            f"{pen.number(0, 12)}",
            f"{cost:.2f}",
            f"{cost:.2f}",
            f"{cost:.3f}",
            f"{cost:.1f}",
            f"{cost % 1:.2f}"[1:],
            f"${cost:.2f}",
            f"{pen.number(0, 20)}.{pen.digits(pen.number(1, 2))}%",
            f"{cost:.2f} {pen.one(_TAXES)}",
            pen.one(_TAXES),
            f"*{pen.one(_TAXES)}",
            pen.one(_UNITS),
            f"{pen.number(1, 12)} {pen.one(_UNITS)}",
            f"{pen.one(_COUNTS)}{pen.one((' ', ' : ', ': '))}{pen.number(1, 20)}",
            f": {pen.one((pen.name(), pen.digits(pen.number(1, 8)), f'{cost:.2f}'))}",
            f"(@ {pen.number(0, 20)}%)",
            pen.one("*-=.#") * pen.number(2, max(2, pen.room)),
        )
    )


def form(pen: Pen) -> str:
    """A field of a form with what is written in it."""
    label = pen.one(_FIELDS)
    label = upper(label, pen.allowed) if pen.chance(0.4) else label
    value = pen.one((pen.names(1, 2), pen.digits(pen.number(2, 8)), "......", "____", pen.word(), ""))
    return pen.one((f"{label}: {value}", f"{label} : {value}", f"{label} {value}", f"({pen.one('abc123')}) {label}"))


def person(pen: Pen) -> str:
    """A name with initials or a title."""
    first, last = pen.name(), pen.name()
    text = pen.one(
        (
            f"{first} {last}",
            f"{pen.one(UPPER)}. {last}",
            f"{pen.one(UPPER)}.{pen.one(UPPER)}. {last}",
            f"{pen.one(_TITLES)} {last}",
            f"{last}, {first}",
            f"{first} {pen.one(UPPER)}. {last}",
            f"{first}-{pen.name()} {last}",
        )
    )
    return upper(text, pen.allowed) if pen.chance(0.35) else text
