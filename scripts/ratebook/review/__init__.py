"""What a reviewer asks of the whole: planted truth found, conclusions robust, known errors absent."""
