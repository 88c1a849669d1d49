-- The ledger's tables, frozen: later changes are later migrations.

CREATE TABLE runs (
    run_id TEXT NOT NULL,
    stage TEXT NOT NULL,
    parameters JSONB DEFAULT '{}'::jsonb NOT NULL,
    code_version TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    ended_at TIMESTAMP WITH TIME ZONE,
    outcome JSONB,
    PRIMARY KEY (run_id)
);

CREATE TABLE accounts (
    code TEXT NOT NULL,
    account_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    exponent BIGINT NOT NULL,
    company TEXT NOT NULL,
    name TEXT NOT NULL,
    bank TEXT NOT NULL,
    erp TEXT NOT NULL,
    gl_account TEXT NOT NULL,
    journal TEXT NOT NULL,
    ladder TEXT NOT NULL,
    policy TEXT NOT NULL,
    cutover_on DATE NOT NULL,
    cutover_minor BIGINT NOT NULL,
    cutover_sequence_no BIGINT,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (code),
    UNIQUE (account_id, currency)
);

CREATE TABLE audit_log (
    seq BIGINT NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    detail JSONB NOT NULL,
    previous_hash TEXT NOT NULL,
    row_hash TEXT NOT NULL,
    PRIMARY KEY (seq)
);

CREATE INDEX ix_audit_log_subject_id ON audit_log (subject_id);

CREATE TABLE mails (
    mail_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    company TEXT NOT NULL,
    day DATE NOT NULL,
    subject TEXT NOT NULL,
    recipients TEXT[] NOT NULL,
    message_id TEXT NOT NULL,
    queued_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    sent_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (mail_id)
);

CREATE TABLE files (
    file_id TEXT NOT NULL,
    size BIGINT NOT NULL,
    name TEXT NOT NULL,
    drop TEXT NOT NULL,
    format TEXT,
    state TEXT NOT NULL,
    attempts BIGINT DEFAULT '0' NOT NULL,
    claimed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (file_id),
    CONSTRAINT file_state CHECK (state IN ('claimed', 'identified', 'quarantined', 'recorded', 'duplicate'))
);

CREATE TABLE rates (
    source TEXT NOT NULL,
    currency TEXT NOT NULL,
    "on" DATE NOT NULL,
    rate NUMERIC(23, 10) NOT NULL,
    observed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (source, currency, "on", rate)
);

CREATE TABLE findings (
    finding_id TEXT NOT NULL,
    run_id TEXT,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    code TEXT NOT NULL,
    severity TEXT NOT NULL CHECK (severity IN ('error','warning','info')),
    "where" TEXT NOT NULL,
    message TEXT NOT NULL,
    remedy TEXT NOT NULL,
    found_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (finding_id),
    FOREIGN KEY(run_id) REFERENCES runs (run_id)
);

CREATE TABLE groups (
    group_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    account_code TEXT NOT NULL,
    ladder TEXT NOT NULL,
    ladder_version TEXT NOT NULL,
    rung TEXT NOT NULL,
    cardinality TEXT NOT NULL,
    currency TEXT NOT NULL,
    residual_minor BIGINT NOT NULL,
    residual_class TEXT,
    state TEXT NOT NULL,
    evidence TEXT NOT NULL,
    facts JSONB DEFAULT '{}'::jsonb NOT NULL,
    derived_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (group_id),
    CONSTRAINT group_state CHECK (state IN ('proposed', 'confirmed', 'rejected', 'undone')),
    FOREIGN KEY(run_id) REFERENCES runs (run_id),
    FOREIGN KEY(account_code) REFERENCES accounts (code)
);

CREATE INDEX ix_groups_account_code ON groups (account_code);

CREATE TABLE exceptions (
    exception_id TEXT NOT NULL,
    account_code TEXT NOT NULL,
    reason_code TEXT NOT NULL,
    reason TEXT NOT NULL,
    subject_side TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    "on" DATE,
    candidates JSONB DEFAULT '{}'::jsonb NOT NULL,
    state TEXT NOT NULL,
    owner TEXT,
    due_at TIMESTAMP WITH TIME ZONE,
    opened_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    resolved_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (exception_id),
    CONSTRAINT exception_state CHECK (state IN ('open', 'assigned', 'resolved')),
    FOREIGN KEY(account_code) REFERENCES accounts (code)
);

CREATE INDEX ix_exceptions_account_code ON exceptions (account_code);

CREATE TABLE adjustments (
    adjustment_id TEXT NOT NULL,
    business_key TEXT NOT NULL,
    account_code TEXT NOT NULL,
    run_id TEXT NOT NULL,
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject_side TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    policy TEXT NOT NULL,
    policy_rule TEXT NOT NULL,
    policy_version TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    booked_on DATE NOT NULL,
    narrative TEXT NOT NULL,
    payload_sha256 TEXT NOT NULL,
    state TEXT NOT NULL,
    maker TEXT NOT NULL,
    approver TEXT,
    document_no TEXT,
    proposed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    posted_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (adjustment_id),
    CONSTRAINT adjustment_state CHECK (state IN ('proposed', 'pending', 'approved', 'rejected', 'expired', 'withdrawn', 'posted', 'refused', 'reversed')),
    CONSTRAINT four_eyes CHECK (approver IS NULL OR approver <> maker),
    UNIQUE (business_key),
    FOREIGN KEY(account_code) REFERENCES accounts (code),
    FOREIGN KEY(run_id) REFERENCES runs (run_id)
);

CREATE INDEX ix_adjustments_account_code ON adjustments (account_code);

CREATE TABLE deliveries (
    delivery_id TEXT NOT NULL,
    file_id TEXT NOT NULL,
    drop TEXT NOT NULL,
    path TEXT NOT NULL,
    size BIGINT NOT NULL,
    modified_at TIMESTAMP WITH TIME ZONE NOT NULL,
    duplicate BOOLEAN NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (delivery_id),
    UNIQUE (drop, path, size, modified_at),
    FOREIGN KEY(file_id) REFERENCES files (file_id)
);

CREATE INDEX ix_deliveries_file_id ON deliveries (file_id);

CREATE TABLE statements (
    statement_id TEXT NOT NULL,
    file_id TEXT NOT NULL,
    line_no BIGINT,
    account_code TEXT NOT NULL,
    currency TEXT NOT NULL,
    servicer_bic TEXT,
    statement_ref TEXT,
    sequence_no BIGINT,
    page BIGINT,
    kind TEXT NOT NULL,
    format TEXT NOT NULL,
    opening_minor BIGINT,
    closing_minor BIGINT,
    closed_on DATE,
    from_at TIMESTAMP WITH TIME ZONE,
    to_at TIMESTAMP WITH TIME ZONE,
    created_at TIMESTAMP WITH TIME ZONE,
    narrative TEXT,
    entry_count BIGINT NOT NULL,
    incomplete BOOLEAN DEFAULT 'false' NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (statement_id),
    FOREIGN KEY(file_id) REFERENCES files (file_id),
    FOREIGN KEY(account_code) REFERENCES accounts (code)
);

CREATE INDEX ix_statements_file_id ON statements (file_id);

CREATE INDEX statements_by_account ON statements (account_code, kind, closed_on);

CREATE TABLE items (
    item_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    source TEXT NOT NULL,
    source_ref TEXT NOT NULL,
    company TEXT NOT NULL,
    account_code TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('cash_book','payable','receivable','expense','payment')),
    document_no TEXT,
    currency TEXT NOT NULL,
    exponent BIGINT NOT NULL CHECK (exponent BETWEEN 0 AND 4),
    amount_minor BIGINT NOT NULL,
    open_minor BIGINT NOT NULL,
    booked_on DATE,
    due_on DATE,
    reference TEXT[] DEFAULT '{}' NOT NULL,
    payment_batch_id TEXT,
    end_to_end_id TEXT,
    counterparty_id TEXT,
    counterparty_name TEXT,
    counterparty_account TEXT,
    narrative TEXT,
    observed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (item_id, version),
    CONSTRAINT amount_minor_bounds CHECK (abs(amount_minor) <= 100000000000000000),
    CONSTRAINT open_minor_bounds CHECK (abs(open_minor) <= 100000000000000000),
    FOREIGN KEY(account_code) REFERENCES accounts (code)
);

CREATE INDEX items_by_account ON items (account_code, kind);

CREATE TABLE book_balances (
    book_balance_id BIGINT GENERATED ALWAYS AS IDENTITY,
    account_code TEXT NOT NULL,
    "on" DATE NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    observed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (book_balance_id),
    FOREIGN KEY(account_code) REFERENCES accounts (code)
);

CREATE INDEX book_balances_by_account ON book_balances (account_code, "on", observed_at);

CREATE TABLE expenses (
    expense_id TEXT NOT NULL,
    file_id TEXT NOT NULL,
    report_key TEXT NOT NULL,
    report_id TEXT NOT NULL,
    report_name TEXT,
    employee_id TEXT NOT NULL,
    employee_name TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    lines JSONB NOT NULL,
    recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (expense_id),
    FOREIGN KEY(file_id) REFERENCES files (file_id)
);

CREATE TABLE statement_status (
    statement_id TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT DEFAULT '' NOT NULL,
    superseded_by TEXT,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (statement_id),
    CONSTRAINT statement_state CHECK (state IN ('accepted', 'superseded', 'staged')),
    FOREIGN KEY(statement_id) REFERENCES statements (statement_id)
);

CREATE TABLE members (
    group_id TEXT NOT NULL,
    side TEXT NOT NULL,
    member_id TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    live BOOLEAN NOT NULL,
    PRIMARY KEY (group_id, side, member_id),
    CONSTRAINT member_side CHECK (side IN ('entry','detail','item')),
    FOREIGN KEY(group_id) REFERENCES groups (group_id)
);

CREATE UNIQUE INDEX one_live_group ON members (side, member_id) WHERE live;

CREATE TABLE exception_events (
    event_no BIGINT GENERATED ALWAYS AS IDENTITY,
    exception_id TEXT NOT NULL,
    event TEXT NOT NULL,
    person TEXT NOT NULL,
    note TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (event_no),
    FOREIGN KEY(exception_id) REFERENCES exceptions (exception_id)
);

CREATE INDEX ix_exception_events_exception_id ON exception_events (exception_id);

CREATE TABLE adjustment_lines (
    adjustment_id TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    gl_account TEXT NOT NULL,
    debit_minor BIGINT NOT NULL,
    credit_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    foreign_minor BIGINT,
    foreign_currency TEXT,
    party TEXT,
    narrative TEXT NOT NULL,
    PRIMARY KEY (adjustment_id, ordinal),
    CONSTRAINT one_side CHECK (debit_minor >= 0 AND credit_minor >= 0 AND (debit_minor = 0) <> (credit_minor = 0)),
    FOREIGN KEY(adjustment_id) REFERENCES adjustments (adjustment_id)
);

CREATE TABLE approvals (
    approval_id BIGINT GENERATED ALWAYS AS IDENTITY,
    adjustment_id TEXT NOT NULL,
    decision TEXT NOT NULL CHECK (decision IN ('approve','reject')),
    person TEXT NOT NULL,
    payload_sha256 TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (approval_id),
    FOREIGN KEY(adjustment_id) REFERENCES adjustments (adjustment_id)
);

CREATE INDEX ix_approvals_adjustment_id ON approvals (adjustment_id);

CREATE TABLE balances (
    statement_id TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    code TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    "on" DATE,
    PRIMARY KEY (statement_id, ordinal),
    CONSTRAINT amount_minor_bounds CHECK (abs(amount_minor) <= 100000000000000000),
    FOREIGN KEY(statement_id) REFERENCES statements (statement_id)
);

CREATE TABLE entries (
    entry_id TEXT NOT NULL,
    statement_id TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    line_no BIGINT,
    account_code TEXT NOT NULL,
    currency TEXT NOT NULL,
    exponent BIGINT NOT NULL CHECK (exponent BETWEEN 0 AND 4),
    amount_minor BIGINT NOT NULL,
    booked_on DATE,
    valued_on DATE,
    status TEXT NOT NULL,
    reversal BOOLEAN,
    bank_ref TEXT,
    entry_ref TEXT,
    code_domain TEXT,
    code_family TEXT,
    code_subfamily TEXT,
    code_proprietary TEXT,
    swift_type TEXT,
    narrative TEXT,
    detail_count BIGINT,
    PRIMARY KEY (entry_id),
    CONSTRAINT amount_minor_bounds CHECK (abs(amount_minor) <= 100000000000000000),
    FOREIGN KEY(statement_id) REFERENCES statements (statement_id),
    FOREIGN KEY(account_code) REFERENCES accounts (code)
);

CREATE INDEX ix_entries_statement_id ON entries (statement_id);

CREATE INDEX entries_by_account ON entries (account_code);

CREATE TABLE posting_intents (
    intent_id TEXT NOT NULL,
    adjustment_id TEXT NOT NULL,
    erp TEXT NOT NULL,
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    business_key TEXT NOT NULL,
    ext_ref TEXT NOT NULL CHECK (length(ext_ref) = 16),
    payload JSONB NOT NULL,
    payload_sha256 TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    maker TEXT NOT NULL,
    approval_id BIGINT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (intent_id),
    UNIQUE (erp, company, ext_ref),
    CONSTRAINT intent_kind CHECK (kind IN ('ADJUST','REVERSE')),
    FOREIGN KEY(adjustment_id) REFERENCES adjustments (adjustment_id),
    UNIQUE (business_key),
    FOREIGN KEY(approval_id) REFERENCES approvals (approval_id)
);

CREATE TABLE details (
    detail_id TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    ordinal BIGINT NOT NULL,
    line_no BIGINT,
    amount_minor BIGINT,
    currency TEXT,
    end_to_end_id TEXT,
    instruction_id TEXT,
    payment_info_id TEXT,
    message_id TEXT,
    transaction_id TEXT,
    uetr TEXT,
    mandate_id TEXT,
    cheque_no TEXT,
    counterparty_name TEXT,
    counterparty_account TEXT,
    counterparty_bic TEXT,
    ultimate_name TEXT,
    reference TEXT,
    reference_type TEXT,
    narrative TEXT,
    purpose TEXT,
    return_reason TEXT,
    original_minor BIGINT,
    original_currency TEXT,
    fx_rate NUMERIC(23, 10),
    charges_minor BIGINT,
    PRIMARY KEY (detail_id),
    CONSTRAINT amount_minor_bounds CHECK (abs(amount_minor) <= 100000000000000000),
    CONSTRAINT charges_minor_bounds CHECK (abs(charges_minor) <= 100000000000000000),
    FOREIGN KEY(entry_id) REFERENCES entries (entry_id)
);

CREATE INDEX ix_details_entry_id ON details (entry_id);

CREATE TABLE outbox (
    intent_id TEXT NOT NULL,
    erp TEXT NOT NULL,
    state TEXT NOT NULL,
    epoch TEXT NOT NULL,
    fence BIGINT DEFAULT '0' NOT NULL,
    owner TEXT,
    lease_until TIMESTAMP WITH TIME ZONE,
    send_by TIMESTAMP WITH TIME ZONE,
    attempts BIGINT DEFAULT '0' NOT NULL,
    first_sent_at TIMESTAMP WITH TIME ZONE,
    unknown_since TIMESTAMP WITH TIME ZONE,
    erp_doc_id TEXT,
    document_no TEXT,
    held TEXT,
    reason TEXT DEFAULT '' NOT NULL,
    next_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    changed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    PRIMARY KEY (intent_id),
    CONSTRAINT outbox_state CHECK (state IN ('READY', 'SENDING', 'CANCELLED', 'UNKNOWN', 'RETRY_WAIT', 'DRAFTED', 'REJECTED', 'MANUAL', 'CONFIRMED', 'VOIDING')),
    FOREIGN KEY(intent_id) REFERENCES posting_intents (intent_id)
);

CREATE INDEX outbox_due ON outbox (erp, state, next_at);

CREATE TABLE posting_attempts (
    attempt_id BIGINT GENERATED ALWAYS AS IDENTITY,
    intent_id TEXT NOT NULL,
    attempt_no BIGINT NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('create','post','find','read','delete')),
    epoch TEXT NOT NULL,
    fence BIGINT NOT NULL,
    owner TEXT NOT NULL,
    ext_ref TEXT NOT NULL,
    payload_sha256 TEXT NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    outcome TEXT,
    code TEXT,
    message TEXT,
    response_sha256 TEXT,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (attempt_id),
    UNIQUE (intent_id, fence, phase, attempt_no),
    FOREIGN KEY(intent_id) REFERENCES posting_intents (intent_id)
);

CREATE INDEX ix_posting_attempts_intent_id ON posting_attempts (intent_id);
