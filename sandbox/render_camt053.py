"""Writes a statement as ISO 20022 camt.053 in version .001.02 or .001.08.

What differs between the two: a BIC is ``BIC`` or ``BICFI``, a status is text or ``Sts/Cd``, a
party's name stands in ``Dbtr/Nm`` or ``Dbtr/Pty/Nm``, and a detail has its own ``Amt`` from .08
on (in .02 only ``AmtDtls/TxAmt``). Batch bookings carry ``Btch`` with the run's id, the count and
the sum; a bank that keeps the payments to itself writes no ``TxDtls``.
"""

from __future__ import annotations

from datetime import date

from lxml import etree

from sandbox.model import BankDetail, BankEntry, Statement

__all__ = ["render_camt053"]

_Element = etree._Element


def render_camt053(statement: Statement) -> bytes:
    """One statement as a UTF-8 document in the account's dialect, valid against its schema."""
    return _Writer(statement).document()


class _Writer:
    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.dialect = statement.account.dialect
        self.namespace = f"urn:iso:std:iso:20022:tech:xsd:{self.dialect}"
        self.modern = self.dialect.endswith(".08")

    def document(self) -> bytes:
        on = self.statement.on
        root = etree.fromstring(f'<Document xmlns="{self.namespace}"/>')
        body = self._in(root, "BkToCstmrStmt")
        group = self._in(body, "GrpHdr")
        bic = self.statement.account.bic
        self._in(group, "MsgId", f"{bic[:4]}-{on:%Y%m%d}-{self.statement.sequence_no:05d}")
        self._in(group, "CreDtTm", f"{on}T19:05:00+01:00")
        pages = self._in(group, "MsgPgntn")
        self._in(pages, "PgNb", "1")
        self._in(pages, "LastPgInd", "true")
        self._statement(self._in(body, "Stmt"))
        etree.indent(root, "  ")
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8") + b"\n"

    def _in(self, parent: _Element, name: str, text: str | None = None) -> _Element:
        child = etree.SubElement(parent, f"{{{self.namespace}}}{name}")
        child.text = text
        return child

    def _path(self, parent: _Element, path: str, text: str | None = None) -> _Element:
        """Nested elements in one go: ``Id/IBAN``; gives the innermost."""
        *outer, last = path.split("/")
        for name in outer:
            parent = self._in(parent, name)
        return self._in(parent, last, text)

    def _amount(self, parent: _Element, minor: int, currency: str = "", name: str = "Amt") -> None:
        text = f"{abs(minor) // 100}.{abs(minor) % 100:02d}"
        element = self._in(parent, name, text)
        element.set("Ccy", currency or self.statement.account.currency)

    def _mark(self, parent: _Element, minor: int) -> None:
        self._in(parent, "CdtDbtInd", "CRDT" if minor >= 0 else "DBIT")

    def _statement(self, stmt: _Element) -> None:
        statement, account = self.statement, self.statement.account
        self._in(stmt, "Id", f"{account.iban_or_number[-10:]}-{statement.sequence_no}")
        self._in(stmt, "ElctrncSeqNb", str(statement.sequence_no))
        self._in(stmt, "CreDtTm", f"{statement.on}T19:05:00+01:00")
        span = self._in(stmt, "FrToDt")
        self._in(span, "FrDtTm", f"{statement.on}T00:00:00+01:00")
        self._in(span, "ToDtTm", f"{statement.on}T23:59:59+01:00")
        holder = self._in(stmt, "Acct")
        self._path(holder, "Id/IBAN", account.iban_or_number)
        self._in(holder, "Ccy", account.currency)
        self._path(holder, "Ownr/Nm", statement.owner)
        self._path(holder, f"Svcr/FinInstnId/{self._bic_tag()}", account.bic)
        self._balance(stmt, "OPBD", statement.opening_minor, statement.on)
        self._balance(stmt, "CLBD", statement.closing_minor, statement.on)
        for entry in statement.entries:
            self._entry(self._in(stmt, "Ntry"), entry)

    def _bic_tag(self) -> str:
        return "BICFI" if self.modern else "BIC"

    def _balance(self, stmt: _Element, code: str, minor: int, on: date) -> None:
        balance = self._in(stmt, "Bal")
        self._path(balance, "Tp/CdOrPrtry/Cd", code)
        self._amount(balance, minor)
        self._mark(balance, minor)
        self._path(balance, "Dt/Dt", on.isoformat())

    def _entry(self, ntry: _Element, entry: BankEntry) -> None:
        self._in(ntry, "NtryRef", f"{entry.ordinal:04d}")
        self._amount(ntry, entry.amount_minor)
        self._mark(ntry, entry.amount_minor)
        self._in(ntry, "RvslInd", "false")
        self._path(ntry, "Sts/Cd" if self.modern else "Sts", "BOOK")
        self._path(ntry, "BookgDt/Dt", entry.booked_on.isoformat())
        self._path(ntry, "ValDt/Dt", entry.valued_on.isoformat())
        if entry.bank_ref:
            self._in(ntry, "AcctSvcrRef", entry.bank_ref)
        self._code(ntry, entry)
        inner = self._in(ntry, "NtryDtls")
        if entry.batch_id:
            batch = self._in(inner, "Btch")
            self._in(batch, "PmtInfId", entry.batch_id)
            self._in(batch, "NbOfTxs", str(len(entry.details)))
            self._amount(batch, entry.amount_minor, name="TtlAmt")
            self._mark(batch, entry.amount_minor)
        for detail in entry.details if entry.details_shown else ():
            self._detail(self._in(inner, "TxDtls"), entry, detail)
        told = f" {entry.batch_id}" if entry.batch_id and not entry.details_shown else ""
        self._in(ntry, "AddtlNtryInf", entry.booking.text + told)

    def _code(self, parent: _Element, entry: BankEntry) -> None:
        booking, code = entry.booking, self._in(parent, "BkTxCd")
        domain = self._in(code, "Domn")
        self._in(domain, "Cd", booking.domain)
        family = self._in(domain, "Fmly")
        self._in(family, "Cd", booking.family)
        self._in(family, "SubFmlyCd", booking.subfamily)
        own = self._in(code, "Prtry")
        self._in(own, "Cd", f"{booking.swift_type}+{booking.gvc}")
        self._in(own, "Issr", "DK")

    def _detail(self, parent: _Element, entry: BankEntry, detail: BankDetail) -> None:
        if detail.party:
            refs = self._in(parent, "Refs")
            if entry.batch_id:
                self._in(refs, "PmtInfId", entry.batch_id)
            self._in(refs, "EndToEndId", detail.end_to_end_id or "NOTPROVIDED")
            if detail.mandate_id:
                self._in(refs, "MndtId", detail.mandate_id)
        if self.modern:
            self._amount(parent, detail.amount_minor)
            self._mark(parent, detail.amount_minor)
        self._amounts(parent, detail)
        if detail.charges_minor:
            self._charges(parent, detail)
        if detail.party:
            self._parties(parent, detail)
        if detail.reference:
            credit = self._path(parent, "RmtInf/Strd/CdtrRefInf")
            self._path(credit, "Tp/CdOrPrtry/Cd", "SCOR")
            self._in(credit, "Ref", detail.reference)
        elif detail.narrative:
            self._path(parent, "RmtInf/Ustrd", detail.narrative)
        if detail.return_reason:
            self._path(parent, "RtrInf/Rsn/Cd", detail.return_reason)

    def _amounts(self, parent: _Element, detail: BankDetail) -> None:
        """What was instructed (another currency or before charges) and what was booked."""
        if self.modern and not detail.original_currency:
            return
        amounts = self._in(parent, "AmtDtls")
        if detail.original_currency:
            instructed = self._in(amounts, "InstdAmt")
            self._amount(instructed, detail.original_minor, detail.original_currency)
            if detail.fx_rate:
                exchange = self._in(instructed, "CcyXchg")
                self._in(exchange, "SrcCcy", detail.original_currency)
                self._in(exchange, "TrgtCcy", self.statement.account.currency)
                self._in(exchange, "UnitCcy", self.statement.account.currency)
                self._in(exchange, "XchgRate", detail.fx_rate)
        self._amount(self._in(amounts, "TxAmt"), detail.amount_minor)

    def _charges(self, parent: _Element, detail: BankDetail) -> None:
        charges = self._in(parent, "Chrgs")
        self._amount(charges, detail.charges_minor, name="TtlChrgsAndTaxAmt")
        record = self._in(charges, "Rcrd") if self.modern else charges
        self._amount(record, detail.charges_minor)
        self._mark(record, -detail.charges_minor)

    def _parties(self, parent: _Element, detail: BankDetail) -> None:
        """The other side; of a returned payment both sides of the original, as banks show it."""
        incoming = detail.amount_minor >= 0 and not detail.return_reason
        side = "Dbtr" if incoming else "Cdtr"
        parties = self._in(parent, "RltdPties")
        name = "Pty/Nm" if self.modern else "Nm"
        if detail.return_reason:
            self._path(parties, f"Dbtr/{name}", self.statement.owner)
            self._path(parties, "DbtrAcct/Id/IBAN", self.statement.account.iban_or_number)
        self._path(parties, f"{side}/{name}", detail.party)
        if detail.party_account:
            self._path(parties, f"{side}Acct/Id/IBAN", detail.party_account)
        if detail.party_bic:
            agents = self._in(parent, "RltdAgts")
            self._path(agents, f"{side}Agt/FinInstnId/{self._bic_tag()}", detail.party_bic)
