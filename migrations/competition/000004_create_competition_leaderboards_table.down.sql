DROP TABLE competition_leaderboards;
