DROP TABLE moderation_strategies;
