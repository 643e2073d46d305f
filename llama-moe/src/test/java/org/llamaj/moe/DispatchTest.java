package org.llamaj.moe;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

class DispatchTest {

  @Test
  void groupsTokensByExpertInTheirOrder() {
    Random random = new Random(5);
    int rows = 37;
    int experts = 14;
    int used = 3;
    Dispatch dispatch = new Dispatch(64, experts, used);
    for (int batch = 0; batch < 2; batch++) {
      float[][] weights = new float[rows][experts];
      for (int token = 0; token < rows; token++) {
        for (int rank = 0, expert = random.nextInt(4); rank < used; rank++) {
          weights[token][expert] = 1 + random.nextFloat();
          dispatch.choose(token, rank, expert, weights[token][expert]);
          expert += 1 + random.nextInt(3);
        }
      }
      dispatch.group(rows);
      int index = 0;
      for (int expert = 0; expert < experts; expert++) {
        int i = 0;
        for (int token = 0; token < rows; token++) {
          if (weights[token][expert] > 0) {
            assertThat(dispatch.expert(index)).isEqualTo(expert);
            assertThat(dispatch.token(index, i)).isEqualTo(token);
            assertThat(dispatch.weight(index, i)).isEqualTo(weights[token][expert]);
            i++;
          }
        }
        if (i > 0) {
          assertThat(dispatch.count(index)).isEqualTo(i);
          index++;
        }
      }
      assertThat(dispatch.chosenExperts()).isEqualTo(index).isLessThan(experts);
    }
  }
}
