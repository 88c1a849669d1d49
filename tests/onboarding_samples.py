"""Samples of banks nobody has a profile for, invented."""

from __future__ import annotations

__all__ = ["SAMPLES"]

SAMPLES: dict[str, bytes] = {
    # Danish: preamble with the account, comma decimals, a balance that runs along
    "dk.csv": (
        '"Kontoudtog";"DK50 0040 0440 1162 43"\r\n"Udskrevet";"20-11-2026"\r\n\r\n'
        '"Dato";"Tekst";"Beløb";"Saldo";"Rentedato";"Modtager navn"\r\n'
        '"18-11-2026";"Tulipaner 2026-0417";"-1.250,00";"8.750,00";"18-11-2026";"Blomst ApS"\r\n'
        '"19-11-2026";"Gebyr";"-15,00";"8.735,00";"19-11-2026";""\r\n'
        '"20-11-2026";"Indbetaling";"2.000,50";"10.735,50";"20-11-2026";"Hansen A/S"\r\n'
        '"20-11-2026";"Indbetaling 2";"200,50";"10.936,00";"20-11-2026";"Hansen A/S"\r\n'
    ).encode("cp1252"),
    # American: debit and credit columns, newest first
    "us.csv": b"""Account,Posting Date,Check,Details,Debit,Credit,Balance
00417,11/20/2026,,ACH TULIP FARMS,,"1,000.00","4,500.00"
00417,11/20/2026,1001,CHECK PAID,250.00,,"3,500.00"
00417,11/19/2026,,FEE,10.00,,"3,750.00"
00417,11/13/2026,,FEE,10.00,,"3,760.00"
""",
    # Dutch: a mark beside the amount, two dates, an account column for each side
    "nl.csv": b"""Datum\tRentedatum\tRekening\tTegenrekening\tNaam\tAf Bij\tBedrag\tOmschrijving
20261118\t20261118\tNL91ABNA0417164300\tNL20INGB0001234567\tTulpenveld\tAf\t1250,00\tFactuur 417
20261119\t20261119\tNL91ABNA0417164300\t\t\tAf\t2,50\tKosten
20261120\t20261120\tNL91ABNA0417164300\tNL20INGB0001234567\tTulpenveld\tBij\t50,00\tRetour
""",
    # A host's records: account in each, cents without a point
    "host.txt": b"""010000004417164300TULIP FARMS INC          20261119USD
020000004417164300202611200000000001250DBANK FEE NOVEMBER              A1
020000004417164300202611200000000104417CINVOICE 2026-0417              A2
020000004417164300202611190000000000100DWIRE FEE                       A3
090000004417164300000003
""",
    # MT940 with labels between semicolons, in a code page
    "labels.sta": (
        ":20:REF1\r\n:25:CZ6508000000192000145399\r\n:28C:5/1\r\n:60F:C261119CZK1000,00\r\n"
        ":61:2611201120D100,00NTRFNONREF//B1\r\n"
        ":86:PLATBA; UCET: 1234567890; NAZEV: KVĚTINY SRO; TEXT: FA 2026-0417; KS: 0308\r\n"
        ":61:2611201120D15,00NCHGNONREF//B2\r\n"
        ":86:POPLATEK; UCET: 1111111111; NAZEV: BANKA; TEXT: VEDENÍ ÚČTU; KS: 0000\r\n"
        ":62F:C261120CZK885,00\r\n-\r\n"
    ).encode("cp1250"),
}
