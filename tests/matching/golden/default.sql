-- rung 1: payment_reference
CREATE OR REPLACE TEMP TABLE bank AS
SELECT DISTINCT uid, amt, key, hash(part, key, amt) AS bucket
FROM (SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(end_to_end_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND end_to_end_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(instruction_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND instruction_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, amt AS amt, replace(replace(replace(replace(replace(replace(upper(entry_ref), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_entries WHERE true AND entry_ref IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL'))
WHERE amt IS NOT NULL;
CREATE OR REPLACE TEMP TABLE books AS
SELECT iid, amt, key, hash(part, key, amt) AS bucket
FROM (SELECT iid, part, amt, key FROM (SELECT iid, part, amt, replace(replace(replace(replace(replace(replace(upper(raw), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT iid, part, amt, end_to_end_id AS raw FROM open_items WHERE tier IN (0) AND end_to_end_id IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL'));
CREATE OR REPLACE TEMP TABLE meeting AS
SELECT bucket, b.n AS n_bank, k.n AS n_books, b.uid, k.iid, b.key
FROM (SELECT bucket, count(*) AS n, min(uid) AS uid, min(key) AS key FROM bank GROUP BY bucket) b
JOIN (SELECT bucket, count(*) AS n, min(iid) AS iid, min(key) AS key FROM books GROUP BY bucket) k
USING (bucket)
WHERE b.key = k.key;
CREATE OR REPLACE TEMP TABLE pairs AS
SELECT uid, iid, min(key) AS key FROM meeting WHERE n_bank = 1 AND n_books = 1
GROUP BY uid, iid;
CREATE OR REPLACE TEMP TABLE ties AS
SELECT bucket FROM meeting WHERE n_bank > 1 OR n_books > 1;
CREATE OR REPLACE TEMP TABLE crowded AS SELECT 0::UBIGINT AS bucket LIMIT 0;
CREATE OR REPLACE TEMP TABLE contested_bank AS
SELECT uid FROM pairs GROUP BY uid HAVING count(*) > 1
UNION SELECT uid FROM bank SEMI JOIN ties USING (bucket);
CREATE OR REPLACE TEMP TABLE contested_books AS
SELECT iid FROM pairs GROUP BY iid HAVING count(*) > 1
UNION SELECT iid FROM books SEMI JOIN ties USING (bucket);
CREATE OR REPLACE TEMP TABLE clean AS
SELECT uid, iid, key FROM pairs
ANTI JOIN contested_bank USING (uid) ANTI JOIN contested_books USING (iid);
CREATE OR REPLACE TEMP TABLE edges AS
SELECT uid, iid, NULL::UBIGINT AS hub FROM pairs WHERE uid IN (FROM contested_bank) OR iid IN (FROM contested_books)
UNION ALL SELECT uid, NULL, bucket FROM bank SEMI JOIN ties USING (bucket)
UNION ALL SELECT NULL, iid, bucket FROM books SEMI JOIN ties USING (bucket);
-- rung 2: reference
CREATE OR REPLACE TEMP TABLE bank AS
SELECT DISTINCT uid, amt, key, hash(part, key, amt) AS bucket
FROM (SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(reference), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND reference IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(end_to_end_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND end_to_end_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, amt AS amt, replace(replace(replace(replace(replace(replace(upper(entry_ref), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_entries WHERE true AND entry_ref IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT uid, part, amt, replace(replace(replace(replace(replace(replace(upper(hit), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT eid AS uid, part, amt AS amt, unnest(CASE WHEN contains(narrative, chr(10)) THEN list_concat(regexp_extract_all(upper(narrative), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})'), regexp_extract_all(regexp_replace(upper(narrative), '[\r\n]+', '', 'g'), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})')) ELSE regexp_extract_all(upper(narrative), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})') END) AS hit FROM open_entries WHERE true AND narrative IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT uid, part, amt, replace(replace(replace(replace(replace(replace(upper(hit), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT eid AS uid, part, eamt AS amt, unnest(CASE WHEN contains(narrative, chr(10)) THEN list_concat(regexp_extract_all(upper(narrative), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})'), regexp_extract_all(regexp_replace(upper(narrative), '[\r\n]+', '', 'g'), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})')) ELSE regexp_extract_all(upper(narrative), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})') END) AS hit FROM open_details WHERE fanout = 1 AND narrative IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(payment_info_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND payment_info_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(message_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND message_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(end_to_end_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND end_to_end_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(reference), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND reference IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, amt AS amt, replace(replace(replace(replace(replace(replace(upper(entry_ref), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_entries WHERE true AND entry_ref IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT uid, part, amt, replace(replace(replace(replace(replace(replace(upper(hit), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT eid AS uid, part, amt AS amt, unnest(CASE WHEN contains(narrative, chr(10)) THEN list_concat(regexp_extract_all(upper(narrative), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})'), regexp_extract_all(regexp_replace(upper(narrative), '[\r\n]+', '', 'g'), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})')) ELSE regexp_extract_all(upper(narrative), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})') END) AS hit FROM open_entries WHERE true AND narrative IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT uid, part, amt, replace(replace(replace(replace(replace(replace(upper(hit), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT eid AS uid, part, eamt AS amt, unnest(CASE WHEN contains(narrative, chr(10)) THEN list_concat(regexp_extract_all(upper(narrative), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})'), regexp_extract_all(regexp_replace(upper(narrative), '[\r\n]+', '', 'g'), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})')) ELSE regexp_extract_all(upper(narrative), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})') END) AS hit FROM open_details WHERE fanout = 1 AND narrative IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL'))
WHERE amt IS NOT NULL;
CREATE OR REPLACE TEMP TABLE books AS
SELECT DISTINCT iid, amt, key, hash(part, key, amt) AS bucket
FROM (SELECT iid, part, amt, key FROM (SELECT iid, part, amt, replace(replace(replace(replace(replace(replace(upper(raw), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT iid, part, amt, document_no AS raw FROM open_items WHERE tier IN (0) AND document_no IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT iid, part, amt, key FROM (SELECT iid, part, amt, replace(replace(replace(replace(replace(replace(upper(raw), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT iid, part, amt, unnest(reference) AS raw FROM open_items WHERE tier IN (0) AND reference IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT iid, part, amt, key FROM (SELECT iid, part, amt, replace(replace(replace(replace(replace(replace(upper(raw), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT iid, part, amt, payment_batch_id AS raw FROM open_items WHERE tier IN (0) AND payment_batch_id IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL'));
CREATE OR REPLACE TEMP TABLE meeting AS
SELECT bucket, b.n AS n_bank, k.n AS n_books, b.uid, k.iid, b.key
FROM (SELECT bucket, count(*) AS n, min(uid) AS uid, min(key) AS key FROM bank GROUP BY bucket) b
JOIN (SELECT bucket, count(*) AS n, min(iid) AS iid, min(key) AS key FROM books GROUP BY bucket) k
USING (bucket)
WHERE b.key = k.key;
CREATE OR REPLACE TEMP TABLE pairs AS
SELECT uid, iid, min(key) AS key FROM meeting WHERE n_bank = 1 AND n_books = 1
GROUP BY uid, iid;
CREATE OR REPLACE TEMP TABLE ties AS
SELECT bucket FROM meeting WHERE n_bank > 1 OR n_books > 1;
CREATE OR REPLACE TEMP TABLE crowded AS SELECT 0::UBIGINT AS bucket LIMIT 0;
CREATE OR REPLACE TEMP TABLE contested_bank AS
SELECT uid FROM pairs GROUP BY uid HAVING count(*) > 1
UNION SELECT uid FROM bank SEMI JOIN ties USING (bucket);
CREATE OR REPLACE TEMP TABLE contested_books AS
SELECT iid FROM pairs GROUP BY iid HAVING count(*) > 1
UNION SELECT iid FROM books SEMI JOIN ties USING (bucket);
CREATE OR REPLACE TEMP TABLE clean AS
SELECT uid, iid, key FROM pairs
ANTI JOIN contested_bank USING (uid) ANTI JOIN contested_books USING (iid);
CREATE OR REPLACE TEMP TABLE edges AS
SELECT uid, iid, NULL::UBIGINT AS hub FROM pairs WHERE uid IN (FROM contested_bank) OR iid IN (FROM contested_books)
UNION ALL SELECT uid, NULL, bucket FROM bank SEMI JOIN ties USING (bucket)
UNION ALL SELECT NULL, iid, bucket FROM books SEMI JOIN ties USING (bucket);
-- rung 3: batch_details
CREATE OR REPLACE TEMP TABLE bank AS
SELECT DISTINCT uid, amt, key, hash(part, key, amt) AS bucket
FROM (SELECT uid, part, amt, key FROM (SELECT did AS uid, part, amt AS amt, replace(replace(replace(replace(replace(replace(upper(end_to_end_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout > 1 AND end_to_end_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT did AS uid, part, amt AS amt, replace(replace(replace(replace(replace(replace(upper(instruction_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout > 1 AND instruction_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT did AS uid, part, amt AS amt, replace(replace(replace(replace(replace(replace(upper(reference), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout > 1 AND reference IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT did AS uid, part, amt AS amt, replace(replace(replace(replace(replace(replace(upper(end_to_end_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout > 1 AND end_to_end_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT uid, part, amt, replace(replace(replace(replace(replace(replace(upper(hit), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT did AS uid, part, amt AS amt, unnest(CASE WHEN contains(narrative, chr(10)) THEN list_concat(regexp_extract_all(upper(narrative), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})'), regexp_extract_all(regexp_replace(upper(narrative), '[\r\n]+', '', 'g'), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})')) ELSE regexp_extract_all(upper(narrative), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})') END) AS hit FROM open_details WHERE fanout > 1 AND narrative IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL'))
WHERE amt IS NOT NULL;
CREATE OR REPLACE TEMP TABLE books AS
SELECT DISTINCT iid, amt, key, hash(part, key, amt) AS bucket
FROM (SELECT iid, part, amt, key FROM (SELECT iid, part, amt, replace(replace(replace(replace(replace(replace(upper(raw), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT iid, part, amt, end_to_end_id AS raw FROM open_items WHERE tier IN (0) AND end_to_end_id IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT iid, part, amt, key FROM (SELECT iid, part, amt, replace(replace(replace(replace(replace(replace(upper(raw), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT iid, part, amt, document_no AS raw FROM open_items WHERE tier IN (0) AND document_no IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT iid, part, amt, key FROM (SELECT iid, part, amt, replace(replace(replace(replace(replace(replace(upper(raw), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT iid, part, amt, unnest(reference) AS raw FROM open_items WHERE tier IN (0) AND reference IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL'));
CREATE OR REPLACE TEMP TABLE meeting AS
SELECT bucket, b.n AS n_bank, k.n AS n_books, b.uid, k.iid, b.key
FROM (SELECT bucket, count(*) AS n, min(uid) AS uid, min(key) AS key FROM bank GROUP BY bucket) b
JOIN (SELECT bucket, count(*) AS n, min(iid) AS iid, min(key) AS key FROM books GROUP BY bucket) k
USING (bucket)
WHERE b.key = k.key;
CREATE OR REPLACE TEMP TABLE pairs AS
SELECT uid, iid, min(key) AS key FROM meeting WHERE n_bank = 1 AND n_books = 1
GROUP BY uid, iid;
CREATE OR REPLACE TEMP TABLE ties AS
SELECT bucket FROM meeting WHERE n_bank > 1 OR n_books > 1;
CREATE OR REPLACE TEMP TABLE crowded AS SELECT 0::UBIGINT AS bucket LIMIT 0;
CREATE OR REPLACE TEMP TABLE contested_bank AS
SELECT uid FROM pairs GROUP BY uid HAVING count(*) > 1
UNION SELECT uid FROM bank SEMI JOIN ties USING (bucket);
CREATE OR REPLACE TEMP TABLE contested_books AS
SELECT iid FROM pairs GROUP BY iid HAVING count(*) > 1
UNION SELECT iid FROM books SEMI JOIN ties USING (bucket);
CREATE OR REPLACE TEMP TABLE clean AS
SELECT uid, iid, key FROM pairs
ANTI JOIN contested_bank USING (uid) ANTI JOIN contested_books USING (iid);
CREATE OR REPLACE TEMP TABLE edges AS
SELECT uid, iid, NULL::UBIGINT AS hub FROM pairs WHERE uid IN (FROM contested_bank) OR iid IN (FROM contested_books)
UNION ALL SELECT uid, NULL, bucket FROM bank SEMI JOIN ties USING (bucket)
UNION ALL SELECT NULL, iid, bucket FROM books SEMI JOIN ties USING (bucket);
-- rung 4: batch_run
CREATE OR REPLACE TEMP TABLE bank AS
SELECT DISTINCT uid, amt, key, hash(part, key) AS bucket
FROM (SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(payment_info_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE true AND payment_info_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(message_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE true AND message_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(end_to_end_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE true AND end_to_end_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(reference), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE true AND reference IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, amt AS amt, replace(replace(replace(replace(replace(replace(upper(entry_ref), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_entries WHERE true AND entry_ref IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT uid, part, amt, replace(replace(replace(replace(replace(replace(upper(hit), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT eid AS uid, part, amt AS amt, unnest(CASE WHEN contains(narrative, chr(10)) THEN list_concat(regexp_extract_all(upper(narrative), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})'), regexp_extract_all(regexp_replace(upper(narrative), '[\r\n]+', '', 'g'), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})')) ELSE regexp_extract_all(upper(narrative), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})') END) AS hit FROM open_entries WHERE true AND narrative IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT uid, part, amt, replace(replace(replace(replace(replace(replace(upper(hit), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT eid AS uid, part, eamt AS amt, unnest(CASE WHEN contains(narrative, chr(10)) THEN list_concat(regexp_extract_all(upper(narrative), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})'), regexp_extract_all(regexp_replace(upper(narrative), '[\r\n]+', '', 'g'), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})')) ELSE regexp_extract_all(upper(narrative), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})') END) AS hit FROM open_details WHERE true AND narrative IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL'))
WHERE amt IS NOT NULL;
CREATE OR REPLACE TEMP TABLE books AS
SELECT iid, amt, key, hash(part, key) AS bucket
FROM (SELECT iid, part, amt, key FROM (SELECT iid, part, amt, replace(replace(replace(replace(replace(replace(upper(raw), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT iid, part, amt, payment_batch_id AS raw FROM open_items WHERE tier IN (0) AND payment_batch_id IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL'));
CREATE OR REPLACE TEMP TABLE claims AS
SELECT b.uid, b.bucket, b.key FROM bank b JOIN (
  SELECT bucket, sum(amt::HUGEINT) AS total, min(key) AS key FROM books GROUP BY bucket
) t ON t.bucket = b.bucket AND t.key = b.key AND t.total = b.amt;
CREATE OR REPLACE TEMP TABLE contested_bank AS
SELECT uid FROM claims GROUP BY uid HAVING count(*) > 1
UNION SELECT uid FROM claims SEMI JOIN (
  SELECT bucket FROM claims GROUP BY bucket HAVING count(*) > 1) USING (bucket)
UNION SELECT uid FROM claims SEMI JOIN (
  SELECT bucket FROM books SEMI JOIN (
    SELECT iid FROM books SEMI JOIN claims USING (bucket)
    GROUP BY iid HAVING count(*) > 1) USING (iid)) USING (bucket);
CREATE OR REPLACE TEMP TABLE clean AS
SELECT c.uid, k.iid, c.key FROM claims c ANTI JOIN contested_bank USING (uid)
JOIN books k ON k.bucket = c.bucket;
CREATE OR REPLACE TEMP TABLE edges AS
SELECT uid, NULL::BIGINT AS iid, bucket AS hub FROM claims SEMI JOIN contested_bank USING (uid)
UNION ALL SELECT NULL, iid, bucket FROM books SEMI JOIN (
  SELECT bucket FROM claims SEMI JOIN contested_bank USING (uid)) USING (bucket);
CREATE OR REPLACE TEMP TABLE crowded AS SELECT 0::UBIGINT AS bucket LIMIT 0;
-- rung 5: reference_with_charges
CREATE OR REPLACE TEMP TABLE bank AS
SELECT DISTINCT uid, amt, key, hash(part, key) AS bucket
FROM (SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(end_to_end_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND end_to_end_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(instruction_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND instruction_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, amt AS amt, replace(replace(replace(replace(replace(replace(upper(entry_ref), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_entries WHERE true AND entry_ref IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(reference), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND reference IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(end_to_end_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND end_to_end_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, amt AS amt, replace(replace(replace(replace(replace(replace(upper(entry_ref), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_entries WHERE true AND entry_ref IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT uid, part, amt, replace(replace(replace(replace(replace(replace(upper(hit), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT eid AS uid, part, amt AS amt, unnest(CASE WHEN contains(narrative, chr(10)) THEN list_concat(regexp_extract_all(upper(narrative), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})'), regexp_extract_all(regexp_replace(upper(narrative), '[\r\n]+', '', 'g'), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})')) ELSE regexp_extract_all(upper(narrative), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})') END) AS hit FROM open_entries WHERE true AND narrative IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT uid, part, amt, replace(replace(replace(replace(replace(replace(upper(hit), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT eid AS uid, part, eamt AS amt, unnest(CASE WHEN contains(narrative, chr(10)) THEN list_concat(regexp_extract_all(upper(narrative), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})'), regexp_extract_all(regexp_replace(upper(narrative), '[\r\n]+', '', 'g'), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})')) ELSE regexp_extract_all(upper(narrative), '(?:[A-Z]{1,4}[-/ ]?\d{2,4}[-/ ]?\d{3,8})|(?:[A-Z]{1,4}-[A-Z]{1,5}-\d{4,10})|(?:\d{6,12})') END) AS hit FROM open_details WHERE fanout = 1 AND narrative IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(payment_info_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND payment_info_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(message_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND message_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(end_to_end_id), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND end_to_end_id IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, eamt AS amt, replace(replace(replace(replace(replace(replace(upper(reference), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_details WHERE fanout = 1 AND reference IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT eid AS uid, part, amt AS amt, replace(replace(replace(replace(replace(replace(upper(entry_ref), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM open_entries WHERE true AND entry_ref IS NOT NULL) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT uid, part, amt, replace(replace(replace(replace(replace(replace(upper(hit), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT eid AS uid, part, amt AS amt, unnest(CASE WHEN contains(narrative, chr(10)) THEN list_concat(regexp_extract_all(upper(narrative), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})'), regexp_extract_all(regexp_replace(upper(narrative), '[\r\n]+', '', 'g'), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})')) ELSE regexp_extract_all(upper(narrative), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})') END) AS hit FROM open_entries WHERE true AND narrative IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT uid, part, amt, key FROM (SELECT uid, part, amt, replace(replace(replace(replace(replace(replace(upper(hit), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT eid AS uid, part, eamt AS amt, unnest(CASE WHEN contains(narrative, chr(10)) THEN list_concat(regexp_extract_all(upper(narrative), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})'), regexp_extract_all(regexp_replace(upper(narrative), '[\r\n]+', '', 'g'), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})')) ELSE regexp_extract_all(upper(narrative), '(?:[A-Z]{1,8}[-/]?[A-Z]{0,6}[-/]?\d{4,10}[-/]?\d{0,8})|(?:[A-Z]{2,8}-\d{4}-\d{2}-\d{2})') END) AS hit FROM open_details WHERE fanout = 1 AND narrative IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL'))
WHERE amt IS NOT NULL;
CREATE OR REPLACE TEMP TABLE books AS
SELECT DISTINCT iid, amt, key, hash(part, key) AS bucket
FROM (SELECT iid, part, amt, key FROM (SELECT iid, part, amt, replace(replace(replace(replace(replace(replace(upper(raw), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT iid, part, amt, end_to_end_id AS raw FROM open_items WHERE tier IN (0) AND end_to_end_id IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT iid, part, amt, key FROM (SELECT iid, part, amt, replace(replace(replace(replace(replace(replace(upper(raw), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT iid, part, amt, document_no AS raw FROM open_items WHERE tier IN (0) AND document_no IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT iid, part, amt, key FROM (SELECT iid, part, amt, replace(replace(replace(replace(replace(replace(upper(raw), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT iid, part, amt, unnest(reference) AS raw FROM open_items WHERE tier IN (0) AND reference IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL')
  UNION ALL
  SELECT iid, part, amt, key FROM (SELECT iid, part, amt, replace(replace(replace(replace(replace(replace(upper(raw), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') AS key FROM (SELECT iid, part, amt, payment_batch_id AS raw FROM open_items WHERE tier IN (0) AND payment_batch_id IS NOT NULL)) WHERE length(key) >= 4 AND key NOT IN ('NONE', 'NONREF', 'NOREF', 'NOTAVAILABLE', 'NOTPROVIDED', 'NULL'));
CREATE OR REPLACE TEMP TABLE crowded AS
SELECT bucket FROM (SELECT bucket, b.n AS n_bank, k.n AS n_books, b.uid, k.iid, b.key
FROM (SELECT bucket, count(*) AS n, min(uid) AS uid, min(key) AS key FROM bank GROUP BY bucket) b
JOIN (SELECT bucket, count(*) AS n, min(iid) AS iid, min(key) AS key FROM books GROUP BY bucket) k
USING (bucket))
WHERE n_bank * n_books > 64 * (n_bank + n_books);
CREATE OR REPLACE TEMP TABLE pairs AS
SELECT b.uid, k.iid, min(b.key) AS key
FROM (SELECT * FROM bank ANTI JOIN crowded USING (bucket)) b
JOIN books k ON k.bucket = b.bucket AND k.key = b.key
JOIN entries e ON e.eid = b.uid
JOIN items i ON i.iid = k.iid
WHERE sign(e.amt) = sign(i.amt) AND e.amt - i.amt BETWEEN -least((3000000::HUGEINT * e.unit) // 100000, (abs(i.amt)::HUGEINT * 5000) // 100000) AND least((5000::HUGEINT * e.unit) // 100000, (abs(i.amt)::HUGEINT * 1000) // 100000)
GROUP BY b.uid, k.iid;
CREATE OR REPLACE TEMP TABLE ties AS SELECT 0::UBIGINT AS bucket LIMIT 0;
CREATE OR REPLACE TEMP TABLE contested_bank AS
SELECT uid FROM pairs GROUP BY uid HAVING count(*) > 1
UNION SELECT uid FROM bank SEMI JOIN ties USING (bucket);
CREATE OR REPLACE TEMP TABLE contested_books AS
SELECT iid FROM pairs GROUP BY iid HAVING count(*) > 1
UNION SELECT iid FROM books SEMI JOIN ties USING (bucket);
CREATE OR REPLACE TEMP TABLE clean AS
SELECT uid, iid, key FROM pairs
ANTI JOIN contested_bank USING (uid) ANTI JOIN contested_books USING (iid);
CREATE OR REPLACE TEMP TABLE edges AS
SELECT uid, iid, NULL::UBIGINT AS hub FROM pairs WHERE uid IN (FROM contested_bank) OR iid IN (FROM contested_books)
UNION ALL SELECT uid, NULL, bucket FROM bank SEMI JOIN ties USING (bucket)
UNION ALL SELECT NULL, iid, bucket FROM books SEMI JOIN ties USING (bucket);
-- rung 6: amount_and_party
CREATE OR REPLACE TEMP TABLE bank AS
SELECT eid AS uid, amt, '' AS key, hash(part, amt) AS bucket
FROM open_entries;
CREATE OR REPLACE TEMP TABLE books AS
SELECT iid, amt, '' AS key, hash(part, amt) AS bucket
FROM open_items WHERE tier IN (0) AND coalesce(kind, 'cash_book') IN ('cash_book', 'payment');
CREATE OR REPLACE TEMP TABLE crowded AS
SELECT bucket FROM (SELECT bucket, b.n AS n_bank, k.n AS n_books, b.uid, k.iid, b.key
FROM (SELECT bucket, count(*) AS n, min(uid) AS uid, min(key) AS key FROM bank GROUP BY bucket) b
JOIN (SELECT bucket, count(*) AS n, min(iid) AS iid, min(key) AS key FROM books GROUP BY bucket) k
USING (bucket))
WHERE n_bank * n_books > 64 * (n_bank + n_books);
CREATE OR REPLACE TEMP TABLE pairs AS
SELECT b.uid, k.iid, min(b.key) AS key
FROM (SELECT * FROM bank ANTI JOIN crowded USING (bucket)) b
JOIN books k ON k.bucket = b.bucket AND k.key = b.key
JOIN entries e ON e.eid = b.uid
JOIN items i ON i.iid = k.iid
LEFT JOIN details d ON d.eid = b.uid AND d.fanout = 1
WHERE e.bday - i.booked_on_no BETWEEN -5 AND 5
  AND (replace(replace(replace(replace(replace(replace(upper(d.counterparty_account), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') = replace(replace(replace(replace(replace(replace(upper(i.counterparty_account), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '')
    OR jaro_winkler_similarity(plain_name(d.counterparty_name), plain_name(i.counterparty_name)) >= 0.92
    OR (d.counterparty_name IS NULL AND length(plain_text(i.counterparty_name)) >= 5 AND contains(plain_text(coalesce(e.narrative, d.narrative)), plain_text(i.counterparty_name)) OR i.counterparty_name IS NULL AND length(plain_text(d.counterparty_name)) >= 5 AND contains(plain_text(i.narrative), plain_text(d.counterparty_name))))
GROUP BY b.uid, k.iid;
CREATE OR REPLACE TEMP TABLE ties AS SELECT 0::UBIGINT AS bucket LIMIT 0;
CREATE OR REPLACE TEMP TABLE contested_bank AS
SELECT uid FROM pairs GROUP BY uid HAVING count(*) > 1
UNION SELECT uid FROM bank SEMI JOIN ties USING (bucket);
CREATE OR REPLACE TEMP TABLE contested_books AS
SELECT iid FROM pairs GROUP BY iid HAVING count(*) > 1
UNION SELECT iid FROM books SEMI JOIN ties USING (bucket);
CREATE OR REPLACE TEMP TABLE clean AS
SELECT uid, iid, key FROM pairs
ANTI JOIN contested_bank USING (uid) ANTI JOIN contested_books USING (iid);
CREATE OR REPLACE TEMP TABLE edges AS
SELECT uid, iid, NULL::UBIGINT AS hub FROM pairs WHERE uid IN (FROM contested_bank) OR iid IN (FROM contested_books)
UNION ALL SELECT uid, NULL, bucket FROM bank SEMI JOIN ties USING (bucket)
UNION ALL SELECT NULL, iid, bucket FROM books SEMI JOIN ties USING (bucket);
-- rung 7: amount_and_party_due
CREATE OR REPLACE TEMP TABLE bank AS
SELECT eid AS uid, amt, '' AS key, hash(part, amt) AS bucket
FROM open_entries;
CREATE OR REPLACE TEMP TABLE books AS
SELECT iid, amt, '' AS key, hash(part, amt) AS bucket
FROM open_items WHERE tier IN (0) AND coalesce(kind, 'cash_book') IN ('receivable', 'payable', 'expense');
CREATE OR REPLACE TEMP TABLE crowded AS
SELECT bucket FROM (SELECT bucket, b.n AS n_bank, k.n AS n_books, b.uid, k.iid, b.key
FROM (SELECT bucket, count(*) AS n, min(uid) AS uid, min(key) AS key FROM bank GROUP BY bucket) b
JOIN (SELECT bucket, count(*) AS n, min(iid) AS iid, min(key) AS key FROM books GROUP BY bucket) k
USING (bucket))
WHERE n_bank * n_books > 64 * (n_bank + n_books);
CREATE OR REPLACE TEMP TABLE pairs AS
SELECT b.uid, k.iid, min(b.key) AS key
FROM (SELECT * FROM bank ANTI JOIN crowded USING (bucket)) b
JOIN books k ON k.bucket = b.bucket AND k.key = b.key
JOIN entries e ON e.eid = b.uid
JOIN items i ON i.iid = k.iid
LEFT JOIN details d ON d.eid = b.uid AND d.fanout = 1
WHERE e.bday - i.due_on_no BETWEEN -20 AND 30
  AND (replace(replace(replace(replace(replace(replace(upper(d.counterparty_account), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '') = replace(replace(replace(replace(replace(replace(upper(i.counterparty_account), ' ', ''), '-', ''), '/', ''), '.', ''), '_', ''), ':', '')
    OR jaro_winkler_similarity(plain_name(d.counterparty_name), plain_name(i.counterparty_name)) >= 0.92
    OR (d.counterparty_name IS NULL AND length(plain_text(i.counterparty_name)) >= 5 AND contains(plain_text(coalesce(e.narrative, d.narrative)), plain_text(i.counterparty_name)) OR i.counterparty_name IS NULL AND length(plain_text(d.counterparty_name)) >= 5 AND contains(plain_text(i.narrative), plain_text(d.counterparty_name))))
GROUP BY b.uid, k.iid;
CREATE OR REPLACE TEMP TABLE ties AS SELECT 0::UBIGINT AS bucket LIMIT 0;
CREATE OR REPLACE TEMP TABLE contested_bank AS
SELECT uid FROM pairs GROUP BY uid HAVING count(*) > 1
UNION SELECT uid FROM bank SEMI JOIN ties USING (bucket);
CREATE OR REPLACE TEMP TABLE contested_books AS
SELECT iid FROM pairs GROUP BY iid HAVING count(*) > 1
UNION SELECT iid FROM books SEMI JOIN ties USING (bucket);
CREATE OR REPLACE TEMP TABLE clean AS
SELECT uid, iid, key FROM pairs
ANTI JOIN contested_bank USING (uid) ANTI JOIN contested_books USING (iid);
CREATE OR REPLACE TEMP TABLE edges AS
SELECT uid, iid, NULL::UBIGINT AS hub FROM pairs WHERE uid IN (FROM contested_bank) OR iid IN (FROM contested_books)
UNION ALL SELECT uid, NULL, bucket FROM bank SEMI JOIN ties USING (bucket)
UNION ALL SELECT NULL, iid, bucket FROM books SEMI JOIN ties USING (bucket);
-- between rungs
CREATE TEMP TABLE open_entries_1 AS
FROM open_entries ANTI JOIN taken_entries USING (eid);
CREATE OR REPLACE TEMP VIEW open_entries AS FROM open_entries_1;
DROP TABLE IF EXISTS open_entries_0;
CREATE TEMP TABLE open_details_1 AS
FROM open_details ANTI JOIN taken_entries USING (eid);
CREATE OR REPLACE TEMP VIEW open_details AS FROM open_details_1;
DROP TABLE IF EXISTS open_details_0;
CREATE TEMP TABLE open_items_1 AS
FROM open_items ANTI JOIN taken_items USING (iid);
CREATE OR REPLACE TEMP VIEW open_items AS FROM open_items_1;
DROP TABLE IF EXISTS open_items_0;
TRUNCATE taken_entries;
TRUNCATE taken_items;
