"""Words that sample people, places and texts are made of: invented, or far too common to mean anyone."""

from __future__ import annotations

FIRST_NAMES = tuple(
    """
    Ada Alma Anton Arne Astrid Basil Bea Bruno Carla Cato Celia Clara Cyril Dario Dora Edda Elio Elsa
    Emil Enzo Esra Fabio Fanny Felix Flora Frida Gaia Greta Hanno Helene Hugo Ida Ilja Ines Ivo Jana
    Joris Juno Karim Kaya Lena Leo Livia Luca Maja Malik Mara Milo Mira Nadia Nils Nora Olga Otto Pia
    Quirin Rafa Rosa Selma Tariq Thea Ugo Vera Yara
    """.split()  # noqa: SIM905
)
LAST_NAMES = tuple(
    """
    Abel Albers Amato Bakker Barbosa Bellini Berger Bianchi Boer Borg Brandt Castel Conti Costa Dahl
    Delgado Dumont Ebner Fabre Falk Ferrari Fink Fontana Garcia Gerber Gomes Hahn Haas Heikki Holm
    Iversen Jansen Kallio Keller Klein Koch Korhonen Kraus Lang Laurent Lindt Lopes Maas Marino Martin
    Mendes Meyer Moreau Nieminen Novak Olsen Pereira Petit Ramos Ricci Roth Sala Schwarz Silva Smit
    Torres Vidal Vogel Weber
    """.split()  # noqa: SIM905
)
STREETS = (
    "Alder Row", "Birch Lane", "Canal Side", "Dove Street", "Elm Walk", "Ferry Road", "Garden Alley", "Harbour Steps",
    "Iris Court", "Juniper Way", "Kiln Yard", "Lark Hill", "Mill Bank", "North Gate", "Orchard Path", "Poplar Square",
)  # fmt: skip
TOWNS = (
    "Aldermoor", "Bellhaven", "Cranford Bay", "Dunmere", "Eastwick Falls", "Fernhollow", "Gullport", "Highbrook",
    "Islemouth", "Kestrel Cross", "Longmarsh", "Marlow End", "Northmere", "Oakhaven", "Pinecliff", "Ravensford",
)  # fmt: skip
MAIL_DOMAINS = ("example.com", "example.net", "example.org", "mail.example", "post.example")  # reserved for documents
PRAISE = (
    "Found what I was looking for.", "Works well, thank you.", "Checkout was quick.", "Nice, but a bit slow.",
    "The app lost my basket, twice.", "Great range, fair prices.", "Delivery came a day late.", "Would buy again.",
)  # fmt: skip
AGENT_NOTES = (
    "Explained the invoice.", "Reset the password.", "Asked for a call back.", "Sent the return label.",
    "Passed on to the second line.", "Customer was content.",
)  # fmt: skip
RETENTION_NOTES = ("Left a message.", "Offered a voucher.", "Asked to be called next week.", "Thanked for the offer.")
CALL_TOPICS = ("billing", "delivery", "login", "product", "returns", "other")
TICKET_CATEGORIES = ("account", "app", "billing", "delivery", "product", "website")
SERVICE_TYPES = ("address_change", "card_replacement", "data_export", "invoice_copy", "refund", "repair")
FEATURES = (  # (module, feature, share of the most active users that use it in the end)
    ("shop", "wish_list", 0.55), ("shop", "one_click", 0.45), ("shop", "gift_cards", 0.20),
    ("rewards", "points", 0.60), ("rewards", "challenges", 0.25), ("rewards", "referrals", 0.15),
    ("app", "push", 0.50), ("app", "scan_and_go", 0.20), ("app", "widgets", 0.10),
    ("service", "self_returns", 0.35), ("service", "chat", 0.30), ("service", "call_back", 0.12),
    ("community", "reviews", 0.30), ("community", "groups", 0.12), ("community", "events", 0.08),
    ("billing", "auto_pay", 0.35), ("billing", "e_invoice", 0.40), ("billing", "split_payment", 0.10),
)  # fmt: skip
REGIONS = (  # (code, name, country, share of users, low threshold, high threshold); all in the euro area
    ("DE-N", "Germany North", "DE", 0.17, 29.0, 68.0), ("DE-S", "Germany South", "DE", 0.15, 30.0, 69.0),
    ("FR-N", "France North", "FR", 0.13, 27.5, 67.0), ("FR-S", "France South", "FR", 0.11, 28.0, 66.5),
    ("NL", "Netherlands", "NL", 0.10, 31.0, 70.0), ("BE", "Belgium", "BE", 0.08, 30.5, 69.5),
    ("ES", "Spain", "ES", 0.09, 27.0, 66.0), ("IT", "Italy", "IT", 0.09, 26.5, 65.5),
    ("FI", "Finland", "FI", 0.05, 32.0, 71.0), ("PT", "Portugal", "PT", 0.03, 28.5, 67.5),
)  # fmt: skip
