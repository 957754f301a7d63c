DROP TABLE discussion_replies;
