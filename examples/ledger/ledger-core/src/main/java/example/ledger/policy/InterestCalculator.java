package example.ledger.policy;

import example.ledger.money.Money;
import example.ledger.time.DateRange;
import java.math.BigDecimal;
import java.math.MathContext;

/** Interest at a fixed yearly rate, on a year of 365 days. */
public final class InterestCalculator {

    private static final BigDecimal DAYS_OF_A_YEAR = BigDecimal.valueOf(365);

    private final BigDecimal yearlyRate;

    /** Takes the yearly rate in percent. */
    public InterestCalculator(String yearlyPercent) {
        this.yearlyRate = new BigDecimal(yearlyPercent).movePointLeft(2);
    }

    /** Returns the interest of some days, without interest on interest. */
    public Money simple(Money amount, long days) {
        BigDecimal years = BigDecimal.valueOf(days).divide(DAYS_OF_A_YEAR, MathContext.DECIMAL64);
        return amount.times(yearlyRate.multiply(years));
    }

    /** Returns the interest of all days of a range, without interest on interest. */
    public Money simple(Money amount, DateRange range) {
        return simple(amount, range.days());
    }

    /** Returns the amount after some years when interest is added once a year. */
    public Money compound(Money amount, int years) {
        Money total = amount;
        for (int year = 0; year < years; year++) {
            total = total.plus(total.times(yearlyRate));
        }
        return total;
    }
}
