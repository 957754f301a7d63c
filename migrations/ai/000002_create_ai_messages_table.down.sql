DROP TABLE ai_messages;
