"""What may stand beside a number, in every column: signs, scales, percent, currencies."""

from __future__ import annotations

import re
from decimal import Decimal
from itertools import chain

SIGNS = {"-": Decimal(-1), "+": Decimal(1)}
# Short scale. `mm` and `t` are left out: they are millions and thousands, or millimetres and tonnes.
SCALES = {
    **dict.fromkeys(("k", "thousand", "thousands", "tsd"), Decimal(10**3)),
    **dict.fromkeys(("m", "mn", "mln", "mio", "million", "millions"), Decimal(10**6)),
    **dict.fromkeys(("b", "bn", "bln", "billion", "billions"), Decimal(10**9)),
    **dict.fromkeys(("lakh", "lakhs", "lac"), Decimal(10**5)),
    **dict.fromkeys(("crore", "crores", "cr"), Decimal(10**7)),
}
PERCENTS = {**dict.fromkeys(("%", "percent", "pct"), Decimal("0.01")), "‰": Decimal("0.001")}
# Codes of ISO 4217 in use; in capitals, because ALL, TOP and TRY are words as well.
CODES = re.findall(
    r"\S+",
    """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD
IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR
MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP
SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF
YER ZAR ZMW
""",
)
# Signs, with the currency that is most often meant; a column with two currencies waits for a person anyway.
SYMBOLS = {
    "US$": "USD", "A$": "AUD", "C$": "CAD", "HK$": "HKD", "NZ$": "NZD", "R$": "BRL", "S$": "SGD",
    "$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "Rs": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY",
    "₴": "UAH", "₪": "ILS", "₫": "VND", "₦": "NGN", "฿": "THB", "zł": "PLN", "Kč": "CZK", "Fr": "CHF",
}  # fmt: skip
CURRENCIES = {**{code: code for code in CODES}, **SYMBOLS}
AFFIX = re.compile(
    "|".join(
        chain((re.escape(sign) for sign in SYMBOLS if sign.endswith("$")), (r"[^\W\d_]+\.?(?:-[^\W\d_]+)*", r"\S"))
    )
)
