package example.ledger.money;

import java.math.BigDecimal;
import java.math.RoundingMode;

/** The currencies that the books are kept in. */
public enum Currency {
    EUR(2, "0.01"),
    USD(2, "0.01"),
    CHF(2, "0.05"),
    JPY(0, "1");

    private final int digits;
    private final BigDecimal smallestCoin;

    Currency(int digits, String smallestCoin) {
        this.digits = digits;
        this.smallestCoin = new BigDecimal(smallestCoin);
    }

    /** Finds a currency by its code, in any case. */
    public static Currency ofCode(String code) {
        for (Currency currency : values()) {
            if (currency.name().equalsIgnoreCase(code)) {
                return currency;
            }
        }
        throw new IllegalArgumentException("no such currency: " + code);
    }

    /** Rounds an amount half up to the digits that this currency is written with. */
    public BigDecimal round(BigDecimal amount) {
        return amount.setScale(digits, RoundingMode.HALF_UP);
    }

    /** Rounds an amount to what can be paid in coins. */
    public BigDecimal roundToCoins(BigDecimal amount) {
        BigDecimal coins = amount.divide(smallestCoin, 0, RoundingMode.HALF_UP);
        return round(coins.multiply(smallestCoin));
    }
}
