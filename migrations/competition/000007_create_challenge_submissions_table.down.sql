DROP TABLE challenge_submissions;
