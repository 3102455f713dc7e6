package example.ledger.report;

import example.ledger.LedgerException;
import example.ledger.money.Currency;
import example.ledger.money.Money;
import java.math.RoundingMode;
import java.util.HashMap;
import java.util.Map;

/** Limits by category and what has been spent of them. */
public final class Budget {

    private final Money zero;
    private final Map<Category, Money> limits = new HashMap<>();
    private final Map<Category, Money> spendings = new HashMap<>();

    /** Makes a budget without limits. */
    public Budget(Currency currency) {
        this.zero = Money.zero(currency);
    }

    /** Sets the limit of a category. */
    public Budget limit(Category category, Money amount) {
        limits.put(category, amount);
        return this;
    }

    /** Counts an amount towards a category. */
    public void spend(Category category, Money amount) {
        spendings.merge(category, amount, Money::plus);
    }

    /** Returns what has been spent in a category. */
    public Money spent(Category category) {
        return spendings.getOrDefault(category, zero);
    }

    /** Returns what is left of a limit; negative when more was spent. */
    public Money remaining(Category category) {
        return limitOf(category).minus(spent(category));
    }

    /** Says whether more was spent than the limit allows; without a limit, never. */
    public boolean isExceeded(Category category) {
        return limits.containsKey(category) && remaining(category).isNegative();
    }

    /** Returns the share of a limit that is spent, in whole percent, rounded down. */
    public int usedPercent(Category category) {
        Money limit = limitOf(category);
        if (limit.isZero()) {
            return 0;
        }
        return spent(category).amount().movePointRight(2)
                .divide(limit.amount(), 0, RoundingMode.DOWN)
                .intValueExact();
    }

    /** Tells how the spending of a category stands to its limit. */
    public BudgetStatus statusOf(Category category) {
        if (!limits.containsKey(category)) {
            return BudgetStatus.NO_LIMIT;
        }
        if (isExceeded(category)) {
            return BudgetStatus.EXCEEDED;
        }
        return remaining(category).isZero() ? BudgetStatus.USED_UP : BudgetStatus.IN_BUDGET;
    }

    private Money limitOf(Category category) {
        if (!limits.containsKey(category)) {
            throw new LedgerException("no limit for " + category.name());
        }
        return limits.get(category);
    }
}
