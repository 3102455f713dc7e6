package example.ledger.money;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** An amount in one currency, always rounded to the digits of that currency. */
public record Money(BigDecimal amount, Currency currency) implements Comparable<Money> {

    public Money {
        amount = currency.round(amount);
    }

    /** Reads an amount such as {@code "12.50"}. */
    public static Money of(String amount, Currency currency) {
        return new Money(new BigDecimal(amount), currency);
    }

    /** Returns nothing, in a currency. */
    public static Money zero(Currency currency) {
        return new Money(BigDecimal.ZERO, currency);
    }

    /** Adds up amounts of one currency; no amounts make zero. */
    public static Money sum(Collection<Money> amounts, Currency currency) {
        Money total = zero(currency);
        for (Money each : amounts) {
            total = total.plus(each);
        }
        return total;
    }

    /** Adds an amount of the same currency. */
    public Money plus(Money other) {
        requireSameCurrency(other);
        return new Money(amount.add(other.amount), currency);
    }

    /** Takes away an amount of the same currency. */
    public Money minus(Money other) {
        requireSameCurrency(other);
        return new Money(amount.subtract(other.amount), currency);
    }

    /** Multiplies by a factor and rounds the result. */
    public Money times(BigDecimal factor) {
        return new Money(amount.multiply(factor), currency);
    }

    /** Returns the same amount with the other sign. */
    public Money negate() {
        return new Money(amount.negate(), currency);
    }

    /** Says whether this is exactly nothing. */
    public boolean isZero() {
        return amount.signum() == 0;
    }

    /** Says whether this is less than nothing. */
    public boolean isNegative() {
        return amount.signum() < 0;
    }

    /** Returns the nearest amount that is neither below {@code low} nor above {@code high}. */
    public Money clamp(Money low, Money high) {
        if (compareTo(low) < 0) {
            return low;
        }
        if (compareTo(high) > 0) {
            return high;
        }
        return this;
    }

    /** Splits into equal parts; what is left over goes to the first parts, a cent each. */
    public List<Money> split(int parts) {
        if (parts < 1) {
            throw new IllegalArgumentException("expected at least one part, got " + parts);
        }
        long cents = amount.unscaledValue().longValueExact();
        List<Money> shares = new ArrayList<>();
        for (int i = 0; i < parts; i++) {
            long extra = i < Math.abs(cents % parts) ? Long.signum(cents) : 0;
            BigDecimal share = BigDecimal.valueOf(cents / parts + extra, amount.scale());
            shares.add(new Money(share, currency));
        }
        return shares;
    }

    /** Orders amounts of the same currency by size. */
    @Override
    public int compareTo(Money other) {
        requireSameCurrency(other);
        return amount.compareTo(other.amount);
    }

    /** Writes the amount with its currency, such as {@code 12.50 EUR}. */
    @Override
    public String toString() {
        return amount.toPlainString() + " " + currency;
    }

    private void requireSameCurrency(Money other) {
        if (currency != other.currency) {
            throw new CurrencyMismatchException(currency, other.currency);
        }
    }
}
