/// The recipes there are.
package enum Families {
    package static let all: [any (Family & Sendable).Type] = [
        LLaMA.self,
        GPT2.self,
        Aquila.self,
        Baichuan.self,
        BERT.self,
        BLOOM.self,
        CLIP.self,
        CodeGen.self,
        CPMAnt.self,
        CPMBee.self,
        ERNIE.self,
        ERNIEMoE.self,
        Falcon.self,
        Gemma.self,
        Gemma2.self,
        Gemma3.self,
        GLM.self,
        GLM4.self,
        GLM4MoE.self,
        GPTNeoX.self,
        GPTOSS.self,
        Hunyuan.self,
        HunyuanMoE.self,
        IFlytekSpark.self,
        InternLM.self,
        InternLM2.self,
        MiniCPM.self,
        MiniCPM3.self,
        OLMo2.self,
        OPT.self,
        PanguAlpha.self,
        PanguEmbedded.self,
        Phi3.self,
        Qwen.self,
        Qwen2.self,
        Qwen2MoE.self,
        Qwen3.self,
        Qwen3MoE.self,
        SeedOSS.self,
        Spark.self,
        Zhinao.self,
    ]

    package static func named(modelType: String) -> (any Family.Type)? {
        all.first { $0.modelTypes.contains(modelType) }
    }

    /// For the oldest files, which name no type.
    package static func named(architectures: [String]) -> (any Family.Type)? {
        all.first { family in architectures.contains { family.architectures.contains($0) } }
    }

    package static func named(ggufArchitecture: String) -> (any Family.Type)? {
        all.first { $0.ggufArchitectures.contains(ggufArchitecture) }
    }
}
