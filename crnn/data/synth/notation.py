"""Numbers, dates, times, codes, measures, addresses of the web: what has a notation of its own."""

from __future__ import annotations

from crnn.data.synth.pen import DIGITS, UPPER, Pen, grouped, upper


def _months(names: str) -> list[str]:
    return names.split()


_MONTHS = {
    "en": _months("January February March April May June July August September October November December"),
    "de": _months("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
    "fr": _months("janvier février mars avril mai juin juillet août septembre octobre novembre décembre"),
    "es": _months("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
    "it": _months("gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre"),
}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UNITS = (
    "kg", "kg", "kg", "g", "g", "g", "ml", "ml", "ml", "l", "l", "cm", "mm", "m", "km", "mg", "cl", "kWh", "W", "V",
    "MB", "GB", "pcs", "km/h", "lbs", "oz",
)  # fmt: skip
_SIGNED_UNITS = ("%", "%", "%", "°C", "°F", "°", "m²", "m³", "µm", "µg", "‰", '"', "'", "Ω", "½", "¼", "¾")
_ENDS = ("com", "org", "net", "de", "fr", "es", "it", "co.uk", "com.my", "info", "eu")


def price(pen: Pen) -> str:
    """A sum of money in one of the notations of the world."""
    value = pen.amount()
    sign = pen.one_allowed(
        ("$", "$", "$", "€", "€", "£", "£", "¥", "¢", "RM", "RM", "EUR", "USD", "CHF", "Rs.", "S$", "kr")
    )
    euro = pen.one_allowed(("€", "EUR", sign))
    point = f"{value:.2f}"
    comma = grouped(value, 2, ".", ",")
    space = " " if pen.chance(0.5) else ""
    return pen.one(
        (
            point,
            f"{value:,.2f}",
            comma,
            f"{sign}{space}{point}",
            f"{sign}{space}{value:,.2f}",
            f"{comma} {euro}",
            f"{grouped(value, 2, ' ', ',')} {euro}",
            f"{int(value)}.-",
            f"{int(value)},-- {euro}",
            f"-{point}",
            f"({point})",
            f"{point} {pen.one(UPPER)}",
            f"{pen.number(1, 40)} @ {point}",
        )
    )


def number(pen: Pen) -> str:
    """Counts, shares, sums and numbered things."""
    value = round(float(10 ** pen.rng.uniform(-1, 6)), 2)
    few = int(value) % 100
    return pen.one(
        (
            str(int(value)),
            f"{value:,.2f}",
            f"{pen.one_allowed(('No.', '#', 'Nr.', 'N°', '№', 'Qty:', '§', 'p.', 'S.'))} {int(value)}",
            f"{value % 100:.1f}{pen.one(('%', ' %'))}",
            f"{few} x {value:.2f} = {few * value:,.2f}",
            f"{few}{pen.one_allowed(('/', ':', '-', '–', '+', '±', '×', '÷', '=', '<', '>'))}{int(value) % 1000}",
            f"{few}{pen.one_allowed(('.', ')', 'st', 'nd', 'rd', 'th', 'er', 'º', 'ª'))}",
            pen.one(("IV", "VII", "XIX", "MDCCLXXVI", "XII", "iii", "xvi")) + pen.one((".", "", ")")),
            f"[{few}]",
            f"{value:.3e}",
        )
    )


def date(pen: Pen) -> str:
    """Dates and times."""
    year, month, day = pen.number(1900, 2099), pen.number(1, 12), pen.number(1, 31)
    hour, minute, second = pen.number(0, 23), pen.number(0, 59), pen.number(0, 59)
    full = _MONTHS.get(pen.language, _MONTHS["en"])[month - 1]
    short = _MONTHS["en"][month - 1][:3]
    label = pen.one(("Date:", "DATE :", "Date/Time:", "Time:", "Datum:", "Invoice Date", "Printed on"))
    clock = f"{hour:02d}:{minute:02d}"
    slashed = f"{day:02d}/{month:02d}/{year}"
    text = pen.one(
        (
            slashed,
            f"{slashed} {clock}:{second:02d}",
            f"{day:02d}/{month:02d}/{year % 100:02d} {clock}",
            f"{year}-{month:02d}-{day:02d}",
            f"{day:02d}-{month:02d}-{year}",
            f"{day}.{month}.{year % 100:02d}",
            f"{day:02d}.{month:02d}.{year} {clock}",
            f"{day} {full} {year}",
            f"{day}. {full} {year}",
            f"{day} {short} {year}",
            f"{full} {day}, {year}",
            f"{day:02d}-{short.upper()}-{year}",
            f"{pen.one(_DAYS)} {day:02d} {short} {clock}",
            clock,
            f"{clock}:{second:02d}",
            f"{hour % 12 or 12}:{minute:02d} {'AP'[hour // 12]}M",
            f"{hour % 12 or 12}:{minute:02d}{'ap'[hour // 12]}.m.",
            f"{clock} Uhr",
            f"{hour}h{minute:02d}",
            f"{pen.number(1500, 1900)}",
        )
    )
    return f"{label} {text}" if pen.chance(0.25) else text


def code(pen: Pen) -> str:
    """Serial numbers, article numbers, card numbers with most digits hidden, captchas."""
    alphabet = pen.one((DIGITS, DIGITS, UPPER, UPPER + DIGITS, (UPPER + DIGITS).lower()))
    groups = [pen.some(alphabet, pen.number(2, 7)) for _ in range(pen.number(1, 3))]
    hidden = pen.one("X*x#")
    return pen.one(
        (
            pen.one("-/. ").join(groups),
            "".join(groups),
            f"{hidden * 4} {hidden * 4} {hidden * 4} {pen.digits(4)}".replace(" ", pen.one((" ", "", "-"))),
            f"{pen.digits(6)}{hidden * 6}{pen.digits(4)}",
            f"{pen.some(UPPER, pen.number(1, 3))}{pen.digits(pen.number(3, 8))}",
            f"*{pen.digits(12)}*",
            f"{pen.some(UPPER, 2)}{pen.digits(2)} " + " ".join(pen.digits(4) for _ in range(pen.number(1, 5))),
            pen.digits(13),
        )
    )


def plate(pen: Pen) -> str:
    """Plates of cars."""
    return pen.one(
        (
            f"{pen.some(UPPER, pen.number(1, 3))} {pen.digits(pen.number(1, 4))}",
            f"{pen.some(UPPER, pen.number(1, 3))}-{pen.some(UPPER, pen.number(1, 2))} {pen.digits(pen.number(1, 4))}",
            f"{pen.some(UPPER, 2)}-{pen.digits(3)}-{pen.some(UPPER, 2)}",
            f"{pen.some(UPPER, 2)}{pen.digits(2)} {pen.some(UPPER, 3)}",
            f"{pen.digits(4)} {pen.some(UPPER, 3)}",
        )
    )


def measure(pen: Pen) -> str:
    """A number with its unit."""
    value = float(10 ** pen.rng.uniform(-1, 3.5))
    text = pen.one((f"{int(value)}", f"{value:.1f}", f"{value:.2f}", f"{value:.1f}".replace(".", ",")))
    unit = pen.one_allowed(_SIGNED_UNITS) if pen.chance(0.4) else pen.one(_UNITS)
    unit = upper(unit, pen.allowed) if pen.chance(0.3) else unit
    made = f"{text}{pen.one(('', ' '))}{unit}"
    return pen.one((made, made, f"{pen.number(2, 24)} x {made}", f"{pen.word()} {made}", f"{made} / {unit}"))


def contact(pen: Pen) -> str:
    """E-mail, web and telephone."""
    one, two, end = pen.raw_word().lower(), pen.raw_word().lower(), pen.one(_ENDS)
    digits = pen.digits(10)
    label = pen.one(("Tel:", "TEL :", "Fax:", "Tel.", "Phone", "T:", "Mobil", "Tél. :", "H/P:"))
    text = pen.one(
        (
            f"{one}@{two}.{end}",
            f"{one}.{two}@{pen.one(('gmail.com', 'yahoo.com', 'web.de', 'orange.fr'))}",
            f"www.{one}-{two}.{end}",
            f"www.{one}{two}.{end}",
            f"https://{one}.{end}/{two}?id={digits[:3]}",
            f"http://www.{one}.{end}/",
            f"+{digits[:2]} {digits[2:5]} {digits[5:]}",
            f"({digits[:3]}) {digits[3:6]}-{digits[6:]}",
            f"{label} {digits[:2]}-{digits[2:6]} {digits[6:]}",
            f"{label} 0{digits[:4]}/{digits[4:]}",
            f"{label} {digits[:2]}-{digits[2:6]} | {pen.one(('F', 'E', 'Fax', 'Ext.'))}: {digits[6:]}",
            f"{label} {digits[:2]}.{digits[2:4]}.{digits[4:6]}.{digits[6:8]}",
            f"C:\\{one}\\{two}.txt",
            f"#{one}_{digits[:2]} ~{two}*",
            f"@{one}_{two}",
            f"{{{one}: {digits[:2]}}}; {two}[{digits[0]}] = `{one}` | {digits[:3]}^2",
        )
    )
    return text.upper() if pen.chance(0.15) else text
