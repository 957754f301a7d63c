DROP TABLE job_applications;
