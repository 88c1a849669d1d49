"""How many postings a second reach the books, with a durable ledger, through each connector."""
