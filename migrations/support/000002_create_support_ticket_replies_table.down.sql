DROP TABLE support_ticket_replies;
