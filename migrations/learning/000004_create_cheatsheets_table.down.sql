DROP TABLE cheatsheets;
