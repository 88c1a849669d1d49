"""Dialects of ``:86:``, one a case: the field (``~`` is a line end), indented what it says."""

from __future__ import annotations

import re

import pytest

from parsers._field86 import decode

CASES = """
166?00PAY?20EREF+E1?21KREF+K1?22MREF+M1?23SVWZ+Rent
    narrative=Rent end_to_end_id=E1 payment_info_id=K1 mandate_id=M1 gvc=166 booking_text=PAY
166?00PAY?20EREF+1234567890123456789012?2134?22SVWZ+x
    end_to_end_id=123456789012345678901234
166?20EREF+E1?21SV?22WZ+Hello
    narrative=Hello end_to_end_id=E1
166?20EREF+12345678901234567890SV?21WZ+Hello
    narrative=Hello
166?20EREF+NOTPROVIDED?21SVWZ+x
    end_to_end_id=None
166?20SVWZ+x?30TESTDEFFXXX?31DE8799?32Ann?33a
    counterparty_bic=TESTDEFFXXX counterparty_account=DE8799 counterparty_name=Anna
166?20x?3010020030?31123
    counterparty_bic=None counterparty_account=123
166?20SVWZ+x ABWA+Holder
    ultimate_name=Holder
000>20Rent>21May>32Ann
    narrative=Rent_May counterparty_name=Ann
000+20Tea+21pot
    narrative=Tea_pot
835?00A?00Rent?00May
    booking_text=A narrative=Rent_May
166?2~0SVWZ+wra~pped
    narrative=wrapped
091
    gvc=091 narrative=None
/TRTP/SEPA/IBAN/GB33/BIC/TESTGB2L/NAME/ANN/REMI/RENT/EREF/E1
    counterparty_account=GB33 counterparty_bic=TESTGB2L counterparty_name=ANN narrative=RENT
    end_to_end_id=E1 booking_text=SEPA
/REMI//REMI/RENT/EREF/NOTPROVIDED
    narrative=RENT end_to_end_id=None
/TRTP/X/RE~MI/RENT/05/MAY
    narrative=RENT/05/MAY
/EREF/E1//CNTP/GB33/TESTGB2L/ANN/LONDON//REMI/USTD//RENT/
    counterparty_account=GB33 counterparty_name=ANN counterparty_bic=TESTGB2L narrative=RENT
/EREF/E1/ORDP//NAME/ANN/ADDR/LONDON
    counterparty_name=ANN
/TRTP/RETURN/RTRN/AM04/REMI/x
    return_reason=AM04
/BENM/3000/ANN
    counterparty_account=3000 counterparty_name=ANN
Rent / May
    narrative=Rent_/_May
911 COLLECT; ID: 7
    narrative=911_COLLECT;_ID:_7
"""


@pytest.mark.parametrize("case", re.split(r"\n(?! )", CASES.strip()))
def test_dialect(case: str) -> None:
    text, _, wanted = case.partition("\n")
    found = decode(text.split("~"))
    for pair in wanted.split():
        name, _, value = pair.partition("=")
        assert str(getattr(found, name)) == value.replace("_", " "), name
