DROP TABLE coding_challenges;
