"""The sandbox's real ERP: Tryton 8.2 with a company, its chart of accounts and its documents."""
