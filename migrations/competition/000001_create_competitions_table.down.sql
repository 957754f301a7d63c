DROP TABLE competitions;
