"""Systems nobody can install, as strict as their contracts: one module a vendor, own books."""
