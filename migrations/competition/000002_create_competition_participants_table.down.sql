DROP TABLE competition_participants;
