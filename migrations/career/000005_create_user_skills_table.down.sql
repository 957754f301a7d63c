DROP TABLE user_skills;
