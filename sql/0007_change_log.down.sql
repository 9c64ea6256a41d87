DROP FUNCTION trim_change_log, extend_change_log;
DROP TABLE change_log;
