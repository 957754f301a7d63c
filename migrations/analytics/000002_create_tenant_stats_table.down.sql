DROP TABLE tenant_stats;
