import Testing
import TinyRunner

@testable import TinyServer

@Suite struct MetricsTests {
    @Test func rangesAddUp() {
        var histogram = Histogram([1, 2])
        for value in [0.5, 1, 1.5, 2, 3, 100] { histogram.observe(value) }
        #expect(histogram.counts == [2, 2, 2] && histogram.count == 6 && histogram.sum == 108)
        var text = PrometheusText()
        text.histogram("x", "Help.", histogram)
        #expect(
            text.text == """
                # HELP x Help.
                # TYPE x histogram
                x_bucket{le="1"} 2
                x_bucket{le="2"} 4
                x_bucket{le="+Inf"} 6
                x_sum 108
                x_count 6

                """)
    }

    @Test func labelsAreEscaped() {
        var text = PrometheusText()
        text.sample("x", [("a", "q\"\\\n")], .infinity)
        #expect(text.text == "x{a=\"q\\\"\\\\\\n\"} +Inf\n")
    }

    @Test func requestsAreCountedByRouteAndStatus() throws {
        let counts = ServerCounts()
        counts.answered(.chat, status: 200, seconds: 0.1)
        counts.answered(.chat, status: 200, seconds: 0.1)
        counts.answered(nil, status: 404, seconds: 0.1)
        counts.firstToken(seconds: 0.2)
        var status = Engine.Status()
        status.totals.cachedTokens = 5
        let text = counts.text(status, try TestModel().engine.plan, residentBytes: 7)
        for line in [
            #"tinygpt_requests_total{route="/v1/chat/completions",status="200"} 2"#,
            #"tinygpt_requests_total{route="other",status="404"} 1"#, "tinygpt_time_to_first_token_seconds_count 1",
            "tinygpt_cached_prompt_tokens_total 5", "process_resident_memory_bytes 7", "tinygpt_slots 2",
        ] { #expect(text.contains(line + "\n"), "\(line)") }
        #expect(
            text.split(separator: "\n").filter { $0.hasPrefix("# TYPE") }.count
                == Set(
                    text.split(separator: "\n").filter { $0.hasPrefix("# TYPE") }
                ).count)
    }

    #if os(Linux)
        @Test func memoryIsKnown() { #expect((ProcessMemory.residentBytes ?? 0) > 1_000_000) }
    #endif
}
