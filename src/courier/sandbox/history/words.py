"""Words that the made-up people, products and orders are built from. None of them belongs to a real person."""

from __future__ import annotations

from typing import Final

FIRST_NAMES: Final = (
    "Ada", "Bruno", "Chidi", "Dagny", "Eero", "Fatima", "Goro", "Hélène", "Ilse", "João", "Kiri", "Łucja", "Maeve",
    "Ngozi", "Óscar", "Pilar", "Quentin", "Rosa", "Søren", "Tariq", "Uma", "Vihaan", "Wren", "Ximena", "Yara", "Zoë",
    "Anne-Marie", "D'Arcy", "美咲", "Дарья", "مريم", "יוסף", "🦊 Fox",
)  # fmt: skip
LAST_NAMES: Final = (
    "Sample", "Example", "Placeholder", "Testperson", "O'Nobody", "Fictional", "Madeup", "von Beispiel", "Ejemplo",
    "Esempio", "Voorbeeld", "Exemplu", "Mustermann", "Nepravda", "Ficción", "サンプル", "مثال", "Demo-Demo",
    "Robert'); DROP",
)  # fmt: skip
TAGS: Final = (
    "vip", "VIP Gold", "wholesale", "Newsletter", "newsletter-2026", "B2B", "café", "日本", "50% off", "it's",
    'say "hi"', "returning", "gift 🎁", "a/b", "back\\slash", "pre-order", "fragile", "NULL", "null", "ÜBER",
)  # fmt: skip
NOTES: Final = (
    "Leave at the door.",
    "Line one\nLine two\r\nLine three",
    '\'; DROP TABLE "order"; --',
    'She said "tomorrow", twice.',
    "مرحبا، يرجى الاتصال قبل التسليم",
    "\u202eright to left override\u202c and back",
    "🎉🎂👩‍👩‍👧‍👦 family emoji",
    "tab\there, backslash \\ there, {brace} and $1",
    "",
    "   ",
)
CITIES: Final = (
    ("Springfield", "Illinois", "IL", "United States", "US", "62701"),
    ("São Exemplo", "São Paulo", "SP", "Brazil", "BR", "01000-000"),
    ("Beispielstadt", None, None, "Germany", "DE", "01234"),
    ("Sampleton", "Ontario", "ON", "Canada", "CA", "K1A 0B1"),
    ("見本市", "Tokyo", "JP-13", "Japan", "JP", "100-0001"),
    ("Exampleton", None, None, "United Kingdom", "GB", "EX4 1PL"),
    ("مدينة المثال", "Cairo", "C", "Egypt", "EG", "00011"),
    ("Nowhere", "Saint John", None, "Antigua & Barbuda", "AG", None),
)
STREETS: Final = ("Example Street", "Sample Avenue", "Rue de l'Exemple", "Musterweg", "見本通り", "شارع المثال")
COMPANIES: Final = ("Acme Example, Inc.", "Ejemplo & Hijos", 'Sample "Quoted" GmbH', "Nobody's Goods", "例株式会社")
ADJECTIVES: Final = ("Quiet", "Brave", "Copper", "Velvet", "Northern", "Tiny", "Folding", "Plain", "Électrique", "Blue")
NOUNS: Final = (
    "Kettle",
    "Lamp",
    "Scarf",
    "Notebook",
    "Teapot",
    "Chair",
    "Backpack",
    "Candle",
    "Mug",
    "Poster",
    "Puzzle",
)
PRODUCT_TYPES: Final = ("Kitchen", "Home", "Apparel", "Stationery", "Outdoor", "", "Toys & Games")
VENDORS: Final = ("Example Goods", "Sample & Sons", "Madeup Mills", "Ünlaut", "")
COLOURS: Final = ("Red", "Sand", "Bleu", "Черный", "緑", "Off-white")
SIZES: Final = ("S", "M", "L", "XL", '3/4"', "One size")
MATERIALS: Final = ("Wool", "Steel", "Oak", "Paper")
CODES: Final = ("WELCOME10", "SUMMER-25", "Frühling", "friend$5", "FREESHIP", "VIP 15", "LOYAL🎈")
SOURCE_NAMES: Final = ("web", "pos", "iphone", "shopify_draft_order", "1234567", "Marketplace (example)")
LOCALES: Final = ("en", "en-US", "de", "fr-CA", "ja", "ar", "pt-BR")
CURRENCIES: Final = ("USD", "USD", "USD", "USD", "EUR", "CAD", "JPY", "GBP")
LONG: Final = "Very long name " * 40
