DROP TABLE competition_submissions;
