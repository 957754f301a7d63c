DROP TABLE contributors;
