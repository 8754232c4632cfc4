-- A database's load: few and larger blocks, an index, a join, a group with concatenation.
PRAGMA journal_mode=OFF;
CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, price REAL);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
	INSERT INTO item SELECT i, printf('%08x-%d', (i * 2654435761) % 4294967296, i % 97), i * 1.25 FROM n;
CREATE INDEX by_name ON item(name);
SELECT count(*), sum(length(name)) FROM item WHERE name LIKE '%ab%';
SELECT substr(name, 1, 2) AS k, count(*), length(group_concat(id)) FROM item GROUP BY k ORDER BY 2 DESC, k LIMIT 3;
SELECT count(*) FROM item a JOIN item b ON a.id = b.id + 1 WHERE a.name < b.name;
