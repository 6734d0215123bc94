# Reference numbers of R's survival for tests/reference/test_survival_reference.py and test_survival_models.py.
#
# Remake: cd tests/reference && Rscript survival.R > survival_r.csv
# Needs R and its recommended package survival; the tests read the output only.
# Data: aml, lung and ovarian as the package has them, and `made`, drawn by a congruential generator that Python
# repeats to the last digit.
library(survival)
options(digits = 15)
cat(sprintf("# %s, survival %s\n", R.version.string, as.character(packageVersion("survival"))))
cat("what,item,value\n")
say <- function(what, item, value) {
  cat(sprintf("%s,%s,%s\n", what, item, trimws(formatC(as.numeric(value), digits = 12, format = "g"))), sep = "")
}
terms_of <- function(what, fit) {
  say(what, paste("coef", names(coef(fit))), coef(fit))
  naive <- if (is.null(fit$naive.var)) fit$var else fit$naive.var
  say(what, paste("naive", names(coef(fit))), sqrt(diag(naive)))
  if (!is.null(fit$naive.var)) say(what, paste("robust", names(coef(fit))), sqrt(diag(fit$var)))
  say(what, "loglik", fit$loglik[2])
  say(what, "null", fit$loglik[1])
}

# The made data: 300 persons of 20 providers, two spells at most.
state <- 20260901
draw <- function() {
  state <<- (16807 * state) %% 2147483647
  state / 2147483647
}
persons <- 300
made <- data.frame(id = 1:persons, provider = (0:(persons - 1)) %% 20)
made$arm <- as.numeric(made$provider < 10)
for (i in 1:persons) {
  made$x[i] <- draw()
  alike <- 0.6 * sin(made$provider[i])
  time <- ceiling(-log(draw()) * 100 * exp(0.7 * made$arm[i] - 0.5 * made$x[i] + alike))
  seen <- ceiling(-log(draw()) * 300)
  cause <- 1 + (draw() < 0.3)
  made$time[i] <- min(time, seen)
  made$cause[i] <- if (time <= seen) cause else 0
  made$weight[i] <- 1 + floor(3 * draw())
  made$late[i] <- floor(0.5 * draw() * made$time[i])
  made$region[i] <- floor(3 * draw())
  gap <- ceiling(40 * draw())
  again <- ceiling(-log(draw()) * 60 * exp(0.4 * made$arm[i]))
  watched <- ceiling(-log(draw()) * 90)
  made$start2[i] <- made$time[i] + gap
  made$time2[i] <- min(again, watched)
  made$event2[i] <- as.numeric(again <= watched)
}
made$event <- as.numeric(made$cause == 1)
made$ended <- as.numeric(made$cause > 0)
say("made", c("time", "cause", "late", "time2"), c(sum(made$time), sum(made$cause), sum(made$late), sum(made$time2)))

# Curves: the pointwise intervals, their inversion at the median, weights, late entry.
for (kind in c("log", "log-log")) {
  fit <- survfit(Surv(time, status) ~ x, aml, conf.type = kind)
  for (arm in names(fit$strata)) {
    found <- summary(fit[arm], times = c(13, 23, 31))
    say(paste("aml", kind, arm), paste("lower", c(13, 23, 31)), found$lower)
    say(paste("aml", kind, arm), paste("upper", c(13, 23, 31)), found$upper)
  }
  fit <- survfit(Surv(time, status) ~ sex, lung, conf.type = kind)
  for (sex in 1:2) {
    say(paste("lung median", kind), paste(c("median", "lower", "upper"), sex), unlist(quantile(fit[sex], 0.5)))
  }
}
late <- survfit(Surv(late, time, ended) ~ 1, made)
say("late entry", c(20, 60, 120), summary(late, times = c(20, 60, 120))$surv)
heavy <- survfit(Surv(time, ended) ~ 1, made, weights = weight)
say("weighted", c(20, 60, 120), summary(heavy, times = c(20, 60, 120))$surv)

# Log-rank, plain and within strata.
say("survdiff lung", "chisq", survdiff(Surv(time, status) ~ sex, lung)$chisq)
say("survdiff made", "chisq", survdiff(Surv(time, ended) ~ arm + strata(region), made)$chisq)

# Cox: ties, entry, weights, strata, clusters.
terms_of("cox aml", coxph(Surv(time, status) ~ x, aml))
terms_of("cox lung", coxph(Surv(time, status) ~ age + sex, lung, control = coxph.control(eps = 1e-12)))
test1 <- data.frame(time = c(9, 1, 1, 6, 6, 8), status = c(1, 1, 0, 1, 1, 0), x = c(0, 1, 1, 1, 0, 0))
for (ties in c("efron", "breslow")) {
  terms_of(paste("cox test1", ties), coxph(Surv(time, status) ~ x, test1, ties = ties))
  terms_of(paste("cox process", ties), coxph(Surv(late, time, ended) ~ arm + x + strata(region), made,
    weights = weight, cluster = provider, ties = ties, control = coxph.control(eps = 1e-12, timefix = FALSE)))
}
terms_of("cox cluster", coxph(Surv(time, ended) ~ arm + x, made, cluster = provider))
zph <- cox.zph(coxph(Surv(futime, fustat) ~ age + ecog.ps, ovarian), transform = "km")$table
say("zph ovarian", rownames(zph), zph[, "chisq"])
zph <- cox.zph(coxph(Surv(time, status) ~ age + sex, lung), transform = "km")$table
say("zph lung", rownames(zph), zph[, "chisq"])

# Competing causes: one against the rest, and the subdistribution.
for (cause in 1:2) {
  made$own <- as.numeric(made$cause == cause)
  terms_of(paste("cause", cause), coxph(Surv(time, own) ~ arm + x, made, cluster = provider))
  wide <- finegray(Surv(time, factor(cause, 0:2)) ~ ., made, etype = cause)
  terms_of(paste("fine gray", cause), coxph(Surv(fgstart, fgstop, fgstatus) ~ arm + x, wide,
    weights = fgwt, cluster = provider))
}
gt10 <- data.frame(id = 1:14, time = c(1, 2, 3, 4, 4, 4, 5, 5, 6, 8, 8, 9, 10, 12),
  status = factor(c(1, 2, 0, 1, 0, 0, 2, 1, 0, 0, 2, 0, 1, 0)))
wide <- finegray(Surv(time, status) ~ ., gt10, etype = 1)
say("gt10 rows", paste("weight", wide$id), wide$fgwt)

# Accelerated failure time.
for (kind in c("weibull", "lognormal", "loglogistic")) {
  fit <- survreg(Surv(time, status) ~ age + sex, lung, dist = kind)
  say(paste("survreg", kind), paste("coef", names(coef(fit))), coef(fit))
  say(paste("survreg", kind), "scale", fit$scale)
  say(paste("survreg", kind), "loglik", fit$loglik[2])
  say(paste("survreg", kind), "se sex", sqrt(diag(vcov(fit)))["sex"])
  clustered <- survreg(Surv(time, ended) ~ arm, made, dist = kind, cluster = provider)
  say(paste("survreg made", kind), c("coef arm", "robust arm"), c(coef(clustered)["arm"], sqrt(diag(clustered$var))[2]))
}

# Spells that come again: in one time since the first, and from each spell's own start.
first <- data.frame(id = made$id, arm = made$arm, x = made$x, provider = made$provider, spell = 1, start = 0,
  stop = made$time, event = made$ended)
second <- data.frame(id = made$id, arm = made$arm, x = made$x, provider = made$provider, spell = 2,
  start = made$start2, stop = made$start2 + made$time2, event = made$event2)
spells <- rbind(first, second[made$ended == 1, ])
terms_of("andersen gill", coxph(Surv(start, stop, event) ~ arm + x, spells, cluster = provider))
terms_of("gap time", coxph(Surv(stop - start, event) ~ arm + x + strata(spell), spells, cluster = provider))

# Shared frailty: Cox with gamma frailty, which leaves the baseline free.
fit <- coxph(Surv(time, ended) ~ arm + x + frailty(provider, distribution = "gamma"), made)
say("frailty", c("coef arm", "coef x"), coef(fit)[c("arm", "x")])
say("frailty", "se arm", sqrt(diag(fit$var))[1])
say("frailty", "theta", fit$history[[1]]$theta)
