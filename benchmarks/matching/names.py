"""Invented parties: names as the books hold them and as banks print them, accounts, ids.

A party is a number. Its name is made of a surname, a trade, a town and a legal form, so that two
parties can look much alike, as real ones do; the first 288,000 of them differ in surname or trade.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from benchmarks.matching.text import Flags, Ints, Text, choose, digits, join, pc, pick, tail

__all__ = [
    "STEMS",
    "account_of",
    "name_in_books",
    "name_on_bank",
    "party_id",
    "person_in_books",
    "stem_of",
]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST: Final = _words(
    "Alt Berg Birken Blom Bruck Dahl Eber Eich Engel Falk Feld Fisch Forst Gold Grün Haber Hall "
    "Hart Hasel Heid Herr Hoch Hof Holz Hirsch Kalt Kirch Klein Kron Kupfer Lang Laub Lind Lorm "
    "Mair Mohr Moos Neu Nord Ober Öster Ost Pfeil Quell Reh Roth Rüth Sand Schön Silber Sommer "
    "Stein Stern Süd Tann Thal Über Wald Weiß Winter "
)
_SECOND: Final = _words(
    "ach au bach baum beck berg bauer brandt brink burg dorf egger eck er feld fels furt gaard "
    "garten grund haas hagen haus heim hauer hof holm horst husen inger kamp lach leben linde "
    "lund mann mark meier moser mühl müller ner ow reich reiter ried rode rup sen schmidt see "
    "stedt ström stein strand tal thaler torp wald weg wig "
)
_TRADES: Final = _words(
    "Metallbau Logistik Elektrotechnik Werkzeuge Maschinen Spedition Möbel Bürobedarf Druckerei "
    "Verpackung Hydraulik Antriebe Sensorik Software Beratung Personal Reinigung Bau Dachdecker "
    "Sanitär Heizung Kälte Energie Solar Chemie Lacke Farben Kunststoff Gummi Glas Holz Papier "
    "Textil Mode Schuhe Sport Reisen Hotel Catering Bäckerei Fleischerei Molkerei Getränke "
    "Weine Kaffee Feinkost Agrar Gartenbau Forst Tierbedarf Pharma Labor Medizin Optik Dental "
    "Pflege Medien Verlag Werbung Messebau Licht Ton Film Schulung Sicherheit Fahrzeuge Reifen "
    "Karosserie Leasing Versicherung Immobilien Architektur Vermessung Umwelt Recycling "
    "Entsorgung Stahl Guss Armaturen Pumpen "
)
_TOWNS: Final = _words(
    "Aachen Augsburg Bamberg Bergen Bern Bielefeld Bodø Bonn Bozen Bremen Brno Brugge Chur "
    "Delft Dijon Dortmund Dresden Erfurt Esbjerg Espoo Essen Flensburg Freiburg Gdańsk Gent "
    "Gera Göteborg Graz Hagen Halle Hamm Hof Husum Jena Kassel Kiel Kolding Konstanz Krems Köln "
    "Landau Leoben Liège Linz Lugano Lund Lübeck Lyon Mainz Malmö Metz Minden Mons München "
    "Nancy Namur Narvik Nyon Odense Olten Oulu Plauen Poznań Pulheim Reims Rostock Salzburg "
    "Schwerin Siegen Sion Speyer Steyr Tampere Thun Trier Turku Uppsala Vaasa Villach Vejle "
    "Wels Wien Worms Zug Zürich Zwettl Ystad "
)
_FORMS: Final = ("GmbH", "GmbH & Co. KG", "AG", "Ltd", "S.A.", "B.V.", "ApS", "AB", "e.K.", "OHG")
_GIVEN: Final = _words(
    "Anna Jens Maria Lukas Zoë Per Inge Marc Élodie Sven Katrin Paul Ines Tomáš Eva Jan Ruth "
    "Nils Lea Oskar Karin Björn Silke Piet Noémie Hans Dora Emil Vera Łukasz Nora Theo Ida Max "
    "Frida Ole "
)

#: How many parties have a surname and trade of their own.
STEMS: Final = len(_FIRST) * len(_SECOND) * len(_TRADES)

#: Banks that print capital letters know no marks on letters.
_FOLDED: Final = tuple(
    pair.split(">")
    for pair in _words(
        "Ä>AE Ö>OE Ü>UE ä>ae ö>oe ü>ue ß>ss Ł>L ł>l ń>n é>e É>E ø>o Ø>O ë>e è>e š>s á>a"
    )
)
_STEP: Final = 104_729  # a prime: neighbours in number are far apart in name


def _surname(stem: Ints) -> Text:
    first = pick(_FIRST, stem % len(_FIRST))
    second = pick(_SECOND, stem // len(_FIRST) % len(_SECOND))
    return join(first, second)


def name_in_books(party: Ints) -> Text:
    """The name as our books hold it: complete, with marks and legal form."""
    stem = party * _STEP % STEMS
    trade = pick(_TRADES, stem // (len(_FIRST) * len(_SECOND)))
    town = pick(_TOWNS, (party * 7 + party // STEMS) % len(_TOWNS))
    form = pick(_FORMS, (party * 3) % 41 % len(_FORMS))
    return join(_surname(stem), " ", trade, " ", town, " ", form)


def person_in_books(party: Ints) -> Text:
    """The name of an employee or a private person."""
    stem = party * _STEP % STEMS
    given = pick(_GIVEN, (party * 11 + party // len(_GIVEN)) % len(_GIVEN))
    return join(given, " ", _surname(stem))


def stem_of(party: Ints, person: Flags) -> Ints:
    """A number of the part of the name that banks do not cut off."""
    stem = party * _STEP % STEMS
    surname = stem % (len(_FIRST) * len(_SECOND))
    given = (party * 11 + party // len(_GIVEN)) % len(_GIVEN)
    return np.where(person, (given * len(_FIRST) * len(_SECOND) + surname) * 2 + 1, stem * 2)


def name_on_bank(name: Text, damage: Ints) -> Text:
    """The same name as a bank prints it.

    ``damage``: 0 as it is; 1 capitals without marks; 2 cut at 35 characters; 3 legal form gone;
    4 capitals, cut at 27; 5 marks folded (Mueller), legal form abbreviated; 6 trade abbreviated.
    """
    folded = name
    for mark, plain in _FOLDED:
        folded = pc.replace_substring(folded, mark, plain)
    capitals = pc.utf8_upper(folded)
    forms = r" (GmbH & Co\. KG|GmbH|AG|Ltd|S\.A\.|B\.V\.|ApS|AB|e\.K\.|OHG)$"
    bare = pc.replace_substring_regex(name, forms, "")
    short = pc.replace_substring(folded, "GmbH & Co. KG", "GmbH u Co")
    trade = pc.replace_substring_regex(name, r"^(\S+ \S{5})\S{3,} ", r"\1. ")
    variants = [name, capitals, tail(name, 0, 35), bare, tail(capitals, 0, 27), short, trade]
    return pc.utf8_rtrim_whitespace(choose(damage, variants))


def account_of(party: Ints, country: str = "DE") -> Text:
    """An invented IBAN of the party, check digits right, bank codes of no bank."""
    body = np.int64(99_000_000) + party % 977
    number = party * 7_919 % 9_999_999_967
    turned = int(country.translate({65 + i: str(10 + i) for i in range(26)})) * 100
    left = body % 97
    left = (left * pow(10, 10, 97) + number) % 97
    left = (left * pow(10, 6, 97) + turned) % 97
    return join(country, digits(98 - left, 2), digits(body, 8), digits(number, 10))


def party_id(party: Ints) -> Text:
    """The party's number in our books."""
    return join("P", digits(party, 7))
