CREATE OR REPLACE TEMP MACRO plain_text(t) AS array_to_string(list_filter(string_split(regexp_replace(strip_accents(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(upper(CASE WHEN contains(t, '.') THEN regexp_replace(t, '\b([A-Za-z])\.', '\1', 'g') ELSE t END), 'Ä', 'AE'), 'Ö', 'OE'), 'Ü', 'UE'), 'ẞ', 'SS'), 'ß', 'SS'), 'Ø', 'O'), 'Ł', 'L'), 'Æ', 'AE'), 'Œ', 'OE'), 'Đ', 'D')), '[^A-Z0-9 ]+', ' ', 'g'), ' '), lambda w: length(w) > 1 AND w NOT IN ('AB', 'AG', 'AND', 'APS', 'AS', 'BV', 'CO', 'COMPANY', 'CORP', 'CORPORATION', 'DER', 'DIE', 'EK', 'EV', 'GBR', 'GMBH', 'INC', 'KFT', 'KG', 'KGAA', 'LIMITED', 'LLC', 'LLP', 'LTD', 'MBH', 'NV', 'OHG', 'OY', 'OYJ', 'PLC', 'SA', 'SARL', 'SAS', 'SE', 'SL', 'SPA', 'SRL', 'SRO', 'THE', 'UG', 'UND', 'ZOO', 'GMB', 'GM')), ' ')
CREATE OR REPLACE TEMP MACRO plain_name(t) AS array_to_string(list_sort(list_filter(string_split(regexp_replace(strip_accents(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(upper(CASE WHEN contains(t, '.') THEN regexp_replace(t, '\b([A-Za-z])\.', '\1', 'g') ELSE t END), 'Ä', 'AE'), 'Ö', 'OE'), 'Ü', 'UE'), 'ẞ', 'SS'), 'ß', 'SS'), 'Ø', 'O'), 'Ł', 'L'), 'Æ', 'AE'), 'Œ', 'OE'), 'Đ', 'D')), '[^A-Z0-9 ]+', ' ', 'g'), ' '), lambda w: length(w) > 1 AND w NOT IN ('AB', 'AG', 'AND', 'APS', 'AS', 'BV', 'CO', 'COMPANY', 'CORP', 'CORPORATION', 'DER', 'DIE', 'EK', 'EV', 'GBR', 'GMBH', 'INC', 'KFT', 'KG', 'KGAA', 'LIMITED', 'LLC', 'LLP', 'LTD', 'MBH', 'NV', 'OHG', 'OY', 'OYJ', 'PLC', 'SA', 'SARL', 'SAS', 'SE', 'SL', 'SPA', 'SRL', 'SRO', 'THE', 'UG', 'UND', 'ZOO', 'GMB', 'GM'))), ' ')
CREATE OR REPLACE TEMP MACRO words_found(ours, theirs) AS len(ours) > len(theirs) OR len(list_filter(ours, lambda w: len(list_filter(theirs, lambda v: starts_with(w, v) OR starts_with(v, w) OR (least(length(w), length(v)) >= 4 AND levenshtein(w, v) <= 1))) > 0)) = len(ours)
CREATE OR REPLACE TEMP MACRO names_agree(a, b) AS words_found(string_split(a, ' '), string_split(b, ' ')) AND words_found(string_split(b, ' '), string_split(a, ' '))

-- rung 1: returned
-- returned: sums and signs of whole numbers

-- rung 2: payment_reference
-- equality is all it asks

-- rung 3: reference
-- equality is all it asks

-- rung 4: creditor_reference
-- equality is all it asks

-- rung 5: batch_details
-- equality is all it asks

-- rung 6: batch_run
-- batch: sums and signs of whole numbers

-- rung 7: references_together
-- together: sums and signs of whole numbers

-- rung 8: shared_references
-- together: sums and signs of whole numbers

-- rung 9: reversal
-- cancel: sums and signs of whole numbers

-- rung 10: return_with_charges
-- cancel: sums and signs of whole numbers

-- rung 11: reference_with_charges
SELECT candidate, true AS sure FROM candidates
WHERE sign(bank_minor) = sign(books_minor) AND bank_minor - books_minor BETWEEN -least((3000000::HUGEINT * unit) // 100000, (abs(books_minor)::HUGEINT * 5000) // 100000) AND least((5000::HUGEINT * unit) // 100000, (abs(books_minor)::HUGEINT * 1000) // 100000)
  AND (bank_party_account = books_party_account
    OR (bank_party <> '' AND (bank_party = books_party OR jaro_winkler_similarity(bank_party, books_party) >= 0.80))
    OR (bank_party_account IS NULL OR books_party_account IS NULL) AND (bank_party IS NULL OR books_party IS NULL));
SELECT words || '; nothing else fits.' AS evidence, facts,
residual_class FROM (
SELECT concat_ws(', ', 'The reference ' || key || ' agrees', 'the other party is ' || coalesce(books_party, bank_party), CASE WHEN residual = 0 THEN 'the amount agrees' ELSE 'the bank moved ' || format('{:,}', abs(residual) // unit) || CASE WHEN unit = 1 THEN '' ELSE '.' || lpad((abs(residual) % unit)::VARCHAR, length(unit::VARCHAR)::INTEGER - 1, '0') END || ' ' || currency || CASE WHEN residual < 0 THEN ' less' ELSE ' more' END || ' for us (' || CASE residual_class WHEN 'charge' THEN 'a bank charge' WHEN 'rounding' THEN 'a rounding difference' WHEN 'fx_difference' THEN 'an exchange difference' WHEN 'short_payment' THEN 'a short payment' WHEN 'discount' THEN 'a discount' WHEN 'over_payment' THEN 'an overpayment' END || ')' END) AS words,
'{' || concat_ws(',', '"reference":' || to_json(key)::VARCHAR, '"party":' || to_json(coalesce(books_party, bank_party))::VARCHAR, '"residual":' || to_json(CASE WHEN residual <> 0 THEN format('{:,}', abs(residual) // unit) || CASE WHEN unit = 1 THEN '' ELSE '.' || lpad((abs(residual) % unit)::VARCHAR, length(unit::VARCHAR)::INTEGER - 1, '0') END END)::VARCHAR, '"residual_class":' || to_json(residual_class)::VARCHAR) || '}' AS facts, residual_class
FROM (SELECT *, CASE WHEN residual = 0 THEN NULL WHEN abs(residual)::HUGEINT * 100000 <= 5000::HUGEINT * unit THEN 'rounding' WHEN original_currency <> currency THEN 'fx_difference' WHEN residual < 0 THEN 'charge' ELSE 'over_payment' END AS residual_class FROM judged));

-- rung 12: run_with_charges
-- batch: sums and signs of whole numbers

-- rung 13: together_with_charges
-- together: sums and signs of whole numbers

-- rung 14: reference_with_discount
SELECT candidate, true AS sure FROM candidates
WHERE sign(bank_minor) = sign(books_minor) AND (bank_minor - books_minor) * sign(books_minor) BETWEEN -least((100000000000::HUGEINT * unit) // 100000, (abs(books_minor)::HUGEINT * 3200) // 100000) AND least((0::HUGEINT * unit) // 100000, (abs(books_minor)::HUGEINT * 100000) // 100000)
  AND (bank_party_account = books_party_account
    OR (bank_party <> '' AND (bank_party = books_party OR jaro_winkler_similarity(bank_party, books_party) >= 0.80))
    OR (bank_party_account IS NULL OR books_party_account IS NULL) AND (bank_party IS NULL OR books_party IS NULL));
SELECT words || '; nothing else fits.' AS evidence, facts,
residual_class FROM (
SELECT concat_ws(', ', 'The reference ' || key || ' agrees', 'the other party is ' || coalesce(books_party, bank_party), CASE WHEN residual = 0 THEN 'the amount agrees' ELSE 'the bank moved ' || format('{:,}', abs(residual) // unit) || CASE WHEN unit = 1 THEN '' ELSE '.' || lpad((abs(residual) % unit)::VARCHAR, length(unit::VARCHAR)::INTEGER - 1, '0') END || ' ' || currency || CASE WHEN residual < 0 THEN ' less' ELSE ' more' END || ' for us (' || CASE residual_class WHEN 'charge' THEN 'a bank charge' WHEN 'rounding' THEN 'a rounding difference' WHEN 'fx_difference' THEN 'an exchange difference' WHEN 'short_payment' THEN 'a short payment' WHEN 'discount' THEN 'a discount' WHEN 'over_payment' THEN 'an overpayment' END || ')' END) AS words,
'{' || concat_ws(',', '"reference":' || to_json(key)::VARCHAR, '"party":' || to_json(coalesce(books_party, bank_party))::VARCHAR, '"residual":' || to_json(CASE WHEN residual <> 0 THEN format('{:,}', abs(residual) // unit) || CASE WHEN unit = 1 THEN '' ELSE '.' || lpad((abs(residual) % unit)::VARCHAR, length(unit::VARCHAR)::INTEGER - 1, '0') END END)::VARCHAR, '"residual_class":' || to_json(residual_class)::VARCHAR) || '}' AS facts, residual_class
FROM (SELECT *, CASE WHEN residual = 0 THEN NULL WHEN abs(residual)::HUGEINT * 100000 <= 0::HUGEINT * unit THEN 'rounding' WHEN original_currency <> currency THEN 'fx_difference' WHEN sign(residual) <> direction THEN 'discount' ELSE 'over_payment' END AS residual_class FROM judged));

-- rung 15: together_with_discount
-- together: sums and signs of whole numbers

-- rung 16: original_amount
-- equality is all it asks

-- rung 17: reference_exchanged
SELECT candidate, true AS sure FROM candidates
WHERE sign(bank_minor) = sign(books_minor) AND bank_minor - books_minor BETWEEN -least((100000000000::HUGEINT * unit) // 100000, (abs(books_minor)::HUGEINT * 3000) // 100000) AND least((100000000000::HUGEINT * unit) // 100000, (abs(books_minor)::HUGEINT * 3000) // 100000) AND original_currency <> bank_currency;
SELECT words || '; nothing else fits.' AS evidence, facts,
residual_class FROM (
SELECT concat_ws(', ', 'The reference ' || key || ' agrees', CASE WHEN residual = 0 THEN 'the amount agrees' ELSE 'the bank moved ' || format('{:,}', abs(residual) // unit) || CASE WHEN unit = 1 THEN '' ELSE '.' || lpad((abs(residual) % unit)::VARCHAR, length(unit::VARCHAR)::INTEGER - 1, '0') END || ' ' || currency || CASE WHEN residual < 0 THEN ' less' ELSE ' more' END || ' for us (' || CASE residual_class WHEN 'charge' THEN 'a bank charge' WHEN 'rounding' THEN 'a rounding difference' WHEN 'fx_difference' THEN 'an exchange difference' WHEN 'short_payment' THEN 'a short payment' WHEN 'discount' THEN 'a discount' WHEN 'over_payment' THEN 'an overpayment' END || ')' END) AS words,
'{' || concat_ws(',', '"reference":' || to_json(key)::VARCHAR, '"residual":' || to_json(CASE WHEN residual <> 0 THEN format('{:,}', abs(residual) // unit) || CASE WHEN unit = 1 THEN '' ELSE '.' || lpad((abs(residual) % unit)::VARCHAR, length(unit::VARCHAR)::INTEGER - 1, '0') END END)::VARCHAR, '"residual_class":' || to_json(residual_class)::VARCHAR) || '}' AS facts, residual_class
FROM (SELECT *, CASE WHEN residual = 0 THEN NULL WHEN abs(residual)::HUGEINT * 100000 <= 5000::HUGEINT * unit THEN 'rounding' WHEN original_currency <> currency THEN 'fx_difference' WHEN residual < 0 THEN 'charge' ELSE 'over_payment' END AS residual_class FROM judged));

-- rung 18: reference_short_or_over
SELECT candidate, true AS sure FROM candidates
WHERE sign(bank_minor) = sign(books_minor) AND (bank_minor - books_minor) * sign(books_minor) BETWEEN -least((100000000000::HUGEINT * unit) // 100000, (abs(books_minor)::HUGEINT * 10000) // 100000) AND least((100000000000::HUGEINT * unit) // 100000, (abs(books_minor)::HUGEINT * 10000) // 100000)
  AND (bank_party_account = books_party_account
    OR (bank_party <> '' AND (bank_party = books_party OR jaro_winkler_similarity(bank_party, books_party) >= 0.80)));
SELECT words || '; nothing else fits.' AS evidence, facts,
residual_class FROM (
SELECT concat_ws(', ', 'The reference ' || key || ' agrees', 'the other party is ' || coalesce(books_party, bank_party), CASE WHEN residual = 0 THEN 'the amount agrees' ELSE 'the bank moved ' || format('{:,}', abs(residual) // unit) || CASE WHEN unit = 1 THEN '' ELSE '.' || lpad((abs(residual) % unit)::VARCHAR, length(unit::VARCHAR)::INTEGER - 1, '0') END || ' ' || currency || CASE WHEN residual < 0 THEN ' less' ELSE ' more' END || ' for us (' || CASE residual_class WHEN 'charge' THEN 'a bank charge' WHEN 'rounding' THEN 'a rounding difference' WHEN 'fx_difference' THEN 'an exchange difference' WHEN 'short_payment' THEN 'a short payment' WHEN 'discount' THEN 'a discount' WHEN 'over_payment' THEN 'an overpayment' END || ')' END) AS words,
'{' || concat_ws(',', '"reference":' || to_json(key)::VARCHAR, '"party":' || to_json(coalesce(books_party, bank_party))::VARCHAR, '"residual":' || to_json(CASE WHEN residual <> 0 THEN format('{:,}', abs(residual) // unit) || CASE WHEN unit = 1 THEN '' ELSE '.' || lpad((abs(residual) % unit)::VARCHAR, length(unit::VARCHAR)::INTEGER - 1, '0') END END)::VARCHAR, '"residual_class":' || to_json(residual_class)::VARCHAR) || '}' AS facts, residual_class
FROM (SELECT *, CASE WHEN residual = 0 THEN NULL WHEN abs(residual)::HUGEINT * 100000 <= 0::HUGEINT * unit THEN 'rounding' WHEN original_currency <> currency THEN 'fx_difference' WHEN sign(residual) <> direction THEN 'short_payment' ELSE 'over_payment' END AS residual_class FROM judged));

-- rung 19: together_short
-- together: sums and signs of whole numbers

-- rung 20: number
-- equality is all it asks
SELECT words || '; nothing else fits.' AS evidence, facts,
residual_class FROM (
SELECT concat_ws(', ', 'The reference ' || key || ' agrees', 'the amount agrees', CASE abs(apart) WHEN 0 THEN 'both are of the same banking day' WHEN 1 THEN 'they are 1 banking day apart' ELSE 'they are ' || abs(apart) || ' banking days apart' END) AS words,
'{' || concat_ws(',', '"reference":' || to_json(key)::VARCHAR, '"banking_days":' || to_json(apart)::VARCHAR) || '}' AS facts, residual_class
FROM (SELECT *, NULL AS residual_class FROM judged));

-- rung 21: mandate
-- equality is all it asks
SELECT words || '; nothing else fits.' AS evidence, facts,
residual_class FROM (
SELECT concat_ws(', ', 'The mandate ' || key || ' agrees', 'the amount agrees', CASE abs(apart) WHEN 0 THEN 'both are of the same banking day' WHEN 1 THEN 'they are 1 banking day apart' ELSE 'they are ' || abs(apart) || ' banking days apart' END) AS words,
'{' || concat_ws(',', '"reference":' || to_json(key)::VARCHAR, '"banking_days":' || to_json(apart)::VARCHAR) || '}' AS facts, residual_class
FROM (SELECT *, NULL AS residual_class FROM judged));

-- rung 22: amount_and_party
SELECT candidate, coalesce((bank_party_account = books_party_account
    OR (bank_party <> '' AND (bank_party = books_party OR jaro_winkler_similarity(bank_party, books_party) >= 0.92 AND names_agree(bank_party, books_party) AND coalesce(bank_party_account = books_party_account, true)))
    OR (bank_party IS NULL AND length(books_party_text) >= 5 AND contains(bank_text, books_party_text) OR books_party IS NULL AND length(bank_party_text) >= 5 AND contains(books_text, bank_party_text))), false) AS sure FROM candidates
WHERE (bank_party_account = books_party_account
    OR (bank_party <> '' AND (bank_party = books_party OR jaro_winkler_similarity(bank_party, books_party) >= 0.92))
    OR (bank_party IS NULL AND length(books_party_text) >= 5 AND contains(bank_text, books_party_text) OR books_party IS NULL AND length(bank_party_text) >= 5 AND contains(books_text, bank_party_text)));
SELECT words || '; nothing else fits.' AS evidence, facts,
residual_class FROM (
SELECT concat_ws(', ', 'The amount agrees', 'the other party is ' || coalesce(books_party, bank_party), CASE abs(apart) WHEN 0 THEN 'both are of the same banking day' WHEN 1 THEN 'they are 1 banking day apart' ELSE 'they are ' || abs(apart) || ' banking days apart' END) AS words,
'{' || concat_ws(',', '"party":' || to_json(coalesce(books_party, bank_party))::VARCHAR, '"banking_days":' || to_json(apart)::VARCHAR) || '}' AS facts, residual_class
FROM (SELECT *, NULL AS residual_class FROM judged));

-- rung 23: amount_and_party_due
SELECT candidate, coalesce((bank_party_account = books_party_account
    OR (bank_party <> '' AND (bank_party = books_party OR jaro_winkler_similarity(bank_party, books_party) >= 0.92 AND names_agree(bank_party, books_party) AND coalesce(bank_party_account = books_party_account, true)))
    OR (bank_party IS NULL AND length(books_party_text) >= 5 AND contains(bank_text, books_party_text) OR books_party IS NULL AND length(bank_party_text) >= 5 AND contains(books_text, bank_party_text))), false) AS sure FROM candidates
WHERE (bank_party_account = books_party_account
    OR (bank_party <> '' AND (bank_party = books_party OR jaro_winkler_similarity(bank_party, books_party) >= 0.92))
    OR (bank_party IS NULL AND length(books_party_text) >= 5 AND contains(bank_text, books_party_text) OR books_party IS NULL AND length(bank_party_text) >= 5 AND contains(books_text, bank_party_text)));
SELECT words || '; nothing else fits.' AS evidence, facts,
residual_class FROM (
SELECT concat_ws(', ', 'The amount agrees', 'the other party is ' || coalesce(books_party, bank_party), CASE abs(apart) WHEN 0 THEN 'both are of the same banking day' WHEN 1 THEN 'they are 1 banking day apart' ELSE 'they are ' || abs(apart) || ' banking days apart' END) AS words,
'{' || concat_ws(',', '"party":' || to_json(coalesce(books_party, bank_party))::VARCHAR, '"banking_days":' || to_json(apart)::VARCHAR) || '}' AS facts, residual_class
FROM (SELECT *, NULL AS residual_class FROM judged));

-- rung 24: details_and_party
SELECT candidate, coalesce((bank_party_account = books_party_account
    OR (bank_party <> '' AND (bank_party = books_party OR jaro_winkler_similarity(bank_party, books_party) >= 0.92 AND names_agree(bank_party, books_party) AND coalesce(bank_party_account = books_party_account, true)))), false) AS sure FROM candidates
WHERE (bank_party_account = books_party_account
    OR (bank_party <> '' AND (bank_party = books_party OR jaro_winkler_similarity(bank_party, books_party) >= 0.92)));

-- rung 25: run_total
-- run: sums and signs of whole numbers

-- rung 26: run_total_due
-- run: sums and signs of whole numbers

-- rung 27: reversal_alike
-- cancel: sums and signs of whole numbers

-- rung 28: own_transfer
-- transfer: sums and signs of whole numbers

-- rung 29: sum_of_party
-- subset: sums and signs of whole numbers

-- rung 30: credit_note
-- net: sums and signs of whole numbers

-- rung 31: amount_alone
-- equality is all it asks
SELECT words || '; nothing else fits.' AS evidence, facts,
residual_class FROM (
SELECT concat_ws(', ', 'The amount agrees', CASE abs(apart) WHEN 0 THEN 'both are of the same banking day' WHEN 1 THEN 'they are 1 banking day apart' ELSE 'they are ' || abs(apart) || ' banking days apart' END) AS words,
'{' || concat_ws(',', '"banking_days":' || to_json(apart)::VARCHAR, '"score":' || to_json('0.' || lpad(greatest(40 - 2 * least(abs(apart), 10), 5)::VARCHAR, 2, '0'))::VARCHAR) || '}' AS facts, residual_class
FROM (SELECT *, NULL AS residual_class FROM judged));
