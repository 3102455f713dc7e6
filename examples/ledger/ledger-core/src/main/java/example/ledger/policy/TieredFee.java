package example.ledger.policy;

import example.ledger.money.Money;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** A percentage that depends on how large the amount is. */
public final class TieredFee implements FeePolicy {

    private final BigDecimal basePercent;
    private final List<Tier> tiers = new ArrayList<>();

    /** Charges a percentage that holds below the first tier. */
    public TieredFee(String basePercent) {
        this.basePercent = new BigDecimal(basePercent);
    }

    /** Charges another percentage from an amount on; tiers come in rising order. */
    public TieredFee from(Money amount, String percent) {
        tiers.add(new Tier(amount, new BigDecimal(percent)));
        return this;
    }

    /** Returns the percentage of the highest tier that the amount reaches. */
    @Override
    public Money feeFor(Money amount) {
        BigDecimal percent = basePercent;
        for (Tier tier : tiers) {
            if (amount.compareTo(tier.from()) >= 0) {
                percent = tier.percent();
            }
        }
        return amount.times(percent.movePointLeft(2));
    }

    private record Tier(Money from, BigDecimal percent) {}
}
