package example.ledger.money;

import example.ledger.LedgerException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.EnumMap;
import java.util.Map;

/** What one unit of a base currency buys in others, at one moment. */
public final class ExchangeRates {

    private final Map<Currency, BigDecimal> rates;

    private ExchangeRates(Map<Currency, BigDecimal> rates) {
        this.rates = new EnumMap<>(rates);
    }

    /** Starts a table with its base currency. */
    public static Builder basedOn(Currency base) {
        return new Builder(base);
    }

    /** Returns what one unit of {@code from} buys in {@code to}. */
    public BigDecimal rate(Currency from, Currency to) {
        if (from == to) {
            return BigDecimal.ONE;
        }
        return perBase(to).divide(perBase(from), MathContext.DECIMAL64);
    }

    /** Changes an amount into another currency. */
    public Money convert(Money money, Currency to) {
        return new Money(money.amount().multiply(rate(money.currency(), to)), to);
    }

    private BigDecimal perBase(Currency currency) {
        if (!rates.containsKey(currency)) {
            throw new LedgerException("no rate for " + currency);
        }
        return rates.get(currency);
    }

    /** Collects rates. */
    public static final class Builder {

        private final Map<Currency, BigDecimal> rates = new EnumMap<>(Currency.class);

        private Builder(Currency base) {
            rates.put(base, BigDecimal.ONE);
        }

        /** Adds what one unit of the base buys in a currency; it must be above zero. */
        public Builder with(Currency currency, String rate) {
            BigDecimal value = new BigDecimal(rate);
            if (value.signum() <= 0) {
                throw new IllegalArgumentException("expected a rate above zero, got " + rate);
            }
            rates.put(currency, value);
            return this;
        }

        /** Returns the table with all rates so far. */
        public ExchangeRates build() {
            return new ExchangeRates(rates);
        }
    }
}
